"""Dimension values: listed, other, unset, and the cap where there is no list."""

from __future__ import annotations

from models.panes.dimensions import NAMES, Dimensions


def test_a_listed_value_stays_another_is_other_and_none_is_unset() -> None:
    dimensions = Dimensions({"queue": ["billing"]})
    assert [dimensions.normal("queue", value) for value in ("billing", "orders", "", "unset", "other")] == [
        "billing",
        "other",
        "unset",
        "unset",
        "other",
    ]


def test_a_list_takes_no_values_from_the_log() -> None:
    dimensions = Dimensions({"queue": ("billing",)})
    dimensions.note("queue", "orders")
    assert (dimensions.normal("queue", "orders"), dimensions.seen["queue"]) == ("other", [])


def test_without_a_list_the_first_values_of_the_log_are_kept_up_to_the_cap() -> None:
    dimensions = Dimensions(cap=2)
    for value in ("billing", "orders", "billing", "returns"):
        dimensions.note("queue", value)
    assert [dimensions.normal("queue", value) for value in ("billing", "orders", "returns")] == ["billing", "orders", "other"]


def test_each_dimension_has_a_cap_of_its_own() -> None:
    dimensions = Dimensions(cap=1)
    for name in NAMES:
        dimensions.note(name, "one")
    assert all(dimensions.normal(name, "one") == "one" for name in NAMES)


def test_a_value_not_noted_is_other() -> None:
    assert Dimensions().normal("team", "red") == "other"


def test_the_reserved_words_take_no_place_under_the_cap() -> None:
    dimensions = Dimensions(cap=1)
    for value in ("unset", "other", "red"):
        dimensions.note("team", value)
    assert dimensions.normal("team", "red") == "red"


def test_a_restored_partition_decides_as_the_one_before() -> None:
    before = Dimensions(cap=2)
    for value in ("b", "a", "c"):
        before.note("queue", value)
    after = Dimensions(cap=2)
    after.restore(before.seen)
    after.note("queue", "d")
    assert [after.normal("queue", value) for value in "abcd"] == ["a", "b", "other", "other"]
    assert after.seen == before.seen


def test_values_seen_before_stay_where_new_definitions_bring_no_list() -> None:
    dimensions = Dimensions(cap=5)
    dimensions.note("queue", "billing")
    dimensions.note("team", "red")
    dimensions.configure({"team": ["blue"]}, 5)
    assert (dimensions.normal("queue", "billing"), dimensions.normal("team", "red")) == ("billing", "other")
    dimensions.configure({}, 5)
    assert dimensions.normal("team", "red") == "red"


def test_only_what_has_no_list_needs_the_log() -> None:
    assert Dimensions({"queue": ["billing"]}).open_ended
    assert not Dimensions(dict.fromkeys(NAMES, ("x",))).open_ended
