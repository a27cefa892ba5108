"""What a message becomes: which rules hold, what their events carry, under which ids, and what is refused."""

from __future__ import annotations

import pytest

from models.events.rejection import RejectedError
from stream_app.mapping.file import parse_rules
from stream_app.mapping.rules import EVENTS_CAP
from tests.support.mappings import BASICS, MESSAGE, event_of, one_event, rejection_of, types_of

THREE = f"""
[[rules]]
when = "status"
[[rules.emit]]
type = "case.status_changed"
status = "status"
{BASICS}
[[rules]]
when = "prio"
[[rules.emit]]
type = "case.priority_changed"
priority = "prio"
{BASICS}
[[rules.emit]]
type = "case.escalated"
{BASICS}
"""


def test_every_rule_that_holds_adds_its_events_in_the_order_of_the_file() -> None:
    rules = parse_rules(THREE, "m.toml")
    assert types_of(rules, prio="p1") == ["case.priority_changed", "case.escalated"]
    assert types_of(rules, prio="p1", status="open") == ["case.status_changed", "case.priority_changed", "case.escalated"]


def test_what_no_rule_holds_for_is_unmapped() -> None:
    assert rejection_of(parse_rules(THREE, "m.toml")) == ("unmapped", "", "no rule of m.toml holds")


def test_ignore_at_the_top_drops_a_message_whatever_else_holds() -> None:
    rules = parse_rules('[[rules]]\nwhen = "test"\nignore = true' + THREE, "m.toml")
    assert types_of(rules, prio="p1", test=True) == []
    assert types_of(rules, prio="p1", test=False) == ["case.priority_changed", "case.escalated"]


def test_ignore_at_the_bottom_takes_what_nothing_else_wanted() -> None:
    rules = parse_rules(THREE + "[[rules]]\nignore = true", "m.toml")
    assert types_of(rules) == []
    assert types_of(rules, status="open") == ["case.status_changed"]


def test_a_rule_with_each_is_tried_for_every_element_and_sees_the_message_around_it() -> None:
    rules = parse_rules(
        """[[rules]]
        each = "changes"
        when = "item.field == 'prio'"
        emit = { type = "case.priority_changed", case_id = "id", occurred_at = "item.at", priority = "item.to" }
        """,
        "m.toml",
    )
    changes = [{"field": "prio", "to": "p1", "at": 1}, {"field": "title"}, {"field": "prio", "to": "p2", "at": 2}]
    events = rules.events(MESSAGE | {"changes": changes})
    assert [(event["case_id"], event["priority"], event["occurred_at"]) for event in events] == [("7", "p1", 1), ("7", "p2", 2)]
    for nothing in ([], None, [{"field": "title"}]):
        assert rejection_of(rules, changes=nothing)[0] == "unmapped"
    assert rejection_of(rules, changes="prio") == ("unmapped", "each", "m.toml:1: not a list")
    assert rejection_of(rules, changes=[{}] * (EVENTS_CAP + 1)) == ("too_large", "each", "m.toml:1: more than 1000 elements")


def test_a_message_that_is_a_list_can_be_taken_apart() -> None:
    rules = parse_rules('[[rules]]\neach = "@"\nemit = { type = "case.closed", case_id = "item.id", occurred_at = "item.at" }', "m.toml")
    assert [event["case_id"] for event in rules.events([{"id": 1, "at": 5}, {"id": 2, "at": 6}])] == ["1", "2"]


def test_a_message_becomes_at_most_a_thousand_events() -> None:
    twice = 'emit = [{ type = "case.closed", case_id = "id", occurred_at = "item" }, { type = "case.reopened", case_id = "id", occurred_at = "item" }]'
    rules = parse_rules(f'[[rules]]\neach = "all"\n{twice}', "m.toml")
    assert len(rules.events(MESSAGE | {"all": list(range(500))})) == EVENTS_CAP
    assert rejection_of(rules, all=list(range(501))) == ("too_large", "", "becomes more than 1000 events")


def test_a_condition_is_looked_at_from_the_left_and_no_further_than_needed() -> None:
    """The end of the one in the middle can not be evaluated for the other kinds."""
    rules = parse_rules(
        f"""
[[rules]]
when = "kind == 'a'"
emit = {{ type = "case.closed", {BASICS.strip().replace(chr(10), ", ")} }}
[[rules]]
when = "kind == 'b' && length(texts) > `1`"
emit = {{ type = "case.reopened", {BASICS.strip().replace(chr(10), ", ")} }}
[[rules]]
emit = {{ type = "case.escalated", {BASICS.strip().replace(chr(10), ", ")} }}
""",
        "m.toml",
    )
    assert types_of(rules, kind="a") == ["case.closed", "case.escalated"]
    assert types_of(rules, kind="b", texts=[1, 2]) == ["case.reopened", "case.escalated"]
    for other in ("c", 1, None, ["a"], {"a": "a"}):
        assert types_of(rules, kind=other) == ["case.escalated"]
    assert rejection_of(rules, kind="b")[:2] == ("unmapped", "when")


@pytest.mark.parametrize("when", ["length(missing) > `1`", "id > text", "sort_by(mixed, &@)[0]", "big[?a].b"])
def test_a_condition_that_can_not_be_evaluated_names_its_rule(when: str) -> None:
    rules = parse_rules(f'[[rules]]\nwhen = "{when}"\nignore = true', "m.toml")
    reason, field, detail = rejection_of(rules, text="x", mixed=[1, "a"], big=[{"a": 1}] * 100_000)
    assert (reason, field) == ("unmapped", "when")
    assert detail.startswith("m.toml:1: ")


def test_a_list_that_can_not_be_found_names_its_rule() -> None:
    rules = parse_rules('[[rules]]\neach = "keys(id)"\nemit = { type = "case.closed", case_id = "id", occurred_at = "at" }', "m.toml")
    assert rejection_of(rules)[:2] == ("unmapped", "each")


# -- fields ---------------------------------------------------------------------------------------------


def test_what_an_expression_does_not_find_is_left_out() -> None:
    assert "queue" not in event_of(one_event('queue = "group"'), group=None)
    assert "queue" not in event_of(one_event('queue = "group.name"'), group="x")


def test_whole_numbers_become_text_where_the_field_is_text() -> None:
    event = event_of(one_event('queue = "group"\ncustomer_id = "user"'), group=12, user="u")
    assert (event["case_id"], event["queue"], event["customer_id"]) == ("7", "12", "u")


def test_constants_stand_for_themselves() -> None:
    event = event_of(one_event('channel = "\'phone\'"\ncomplaint = true\nflags = ["spam"]'))
    assert (event["channel"], event["complaint"], event["flags"]) == ("phone", True, ["spam"])


TABLE = '[tables.priority]\nP1 = "urgent"\n2 = "high"\ntrue = "low"'


@pytest.mark.parametrize(("given", "found"), [("P1", "urgent"), (2, "high"), ("2", "high"), (True, "low")])
def test_a_value_is_looked_up_by_how_it_is_written(given: object, found: str) -> None:
    rules = one_event('priority = { from = "prio", table = "priority" }', TABLE)
    assert event_of(rules, prio=given)["priority"] == found


def test_a_value_that_its_table_lacks_names_field_value_and_line() -> None:
    rules = one_event('priority = { from = "prio", table = { P1 = "urgent" } }')
    assert rejection_of(rules, prio="P9") == ("invalid_field", "priority", 'm.toml:4: "P9" is not in its table, which has no default')
    assert rejection_of(rules, prio=[1])[2] == 'm.toml:4: "[1]" is not in its table, which has no default'
    assert len(rejection_of(rules, prio="x" * 1_000)[2]) < 130
    for missing in (None, ""):
        assert "priority" not in event_of(rules, prio=missing)


def test_a_default_stands_in_for_what_is_missing_and_for_what_the_table_lacks() -> None:
    rules = one_event(
        'priority = { from = "prio", table = { P1 = "urgent" }, default = "normal" }\nqueue = { from = "q", default = "main" }'
    )
    assert [event_of(rules, prio=given)["priority"] for given in ("P1", "P9", None, "")] == ["urgent", "normal", "normal", "normal"]
    assert [event_of(rules, q=given)["queue"] for given in ("a", 3, None)] == ["a", "3", "main"]


def test_numbers_come_in_other_units() -> None:
    rules = one_event('talk_s = { from = "ms", divide_by = 1000 }', type_name="contact.ended")
    assert event_of(rules, ms=31_380)["talk_s"] == 31.38
    assert event_of(rules, ms="31380")["talk_s"] == "31380"
    assert "talk_s" not in event_of(rules)


def test_defaults_are_for_events_that_have_the_field_and_do_not_say_otherwise() -> None:
    defaults = '[defaults]\ncase_id = "id"\noccurred_at = "at"\ncustomer_id = "user"\nqueue = "group"'
    emits = "".join(
        f'[[rules.emit]]\ntype = "{name}"\n{more}\n'
        for name, more in (("contact.opened", 'queue = "other"'), ("case.closed", 'customer_id = ""'))
    )
    opened, closed = parse_rules(f"{defaults}\n[[rules]]\n{emits}", "m.toml").events(MESSAGE | {"user": "u", "group": "g", "other": "o"})
    assert (opened["queue"], opened["customer_id"]) == ("o", "u")
    assert closed.keys() == {"type", "case_id", "occurred_at", "event_id"}


def test_promised_instants_are_read_like_all_others() -> None:
    rules = one_event('due.first_reply = "a"\ndue.resolution = "b"', rule='time_format = "epoch_seconds"')
    event = event_of(rules, at=1, a=2, b="")
    assert (event["occurred_at"], event["due"]) == (1_000, {"first_reply": 2_000})
    assert "due" not in event_of(rules, at=1)


def test_a_time_that_can_not_be_read_names_field_and_line() -> None:
    rules = one_event("", rule='time_format = "epoch_seconds"')
    assert rejection_of(rules) == ("invalid_field", "occurred_at", "m.toml:4: not a number")


def test_an_expression_that_fails_names_its_field() -> None:
    assert rejection_of(one_event("queue = \"join(',', id)\""))[:2] == ("invalid_field", "queue")


# -- ids ------------------------------------------------------------------------------------------------


def ids_of(text: str, **message: object) -> list[str]:
    return [event["event_id"] for event in parse_rules(text, "m.toml").events(MESSAGE | message)]


def test_an_id_of_the_message_is_told_apart_by_type_and_number() -> None:
    fields = 'case_id = "id", occurred_at = "item", event_id = "uuid"'
    text = f'[[rules]]\neach = "all"\nemit = [{{ type = "case.closed", {fields} }}, {{ type = "case.reopened", {fields} }}]'
    expected = ["u#case.closed", "u#case.reopened", "u#case.closed#2", "u#case.reopened#2"]
    assert ids_of(text, all=[1, 2], uuid="u") == ids_of(text, all=[1, 2], uuid="u") == expected


def test_without_one_the_id_is_a_hash_of_the_event_whatever_is_around_it() -> None:
    text = '[[rules]]\nemit = { type = "case.closed", case_id = "id", occurred_at = "at" }'
    reordered = '[[rules]]\nemit = { occurred_at = "at", type = "case.closed", case_id = "id" }'
    (first,) = ids_of(text, envelope=1)
    assert [first] == ids_of(text, envelope=2) == ids_of(reordered) == ids_of(text, event_id="")
    assert len(first) == 32
    assert [first] != ids_of(text, at="2026-03-02T09:14:06Z")


def test_equal_events_of_one_message_get_different_ids_and_keep_them() -> None:
    text = '[[rules]]\neach = "all"\nemit = { type = "message.customer", case_id = "id", occurred_at = "at" }'
    first, second, third = ids_of(text, all=[1, 2, 3])
    assert (second, third) == (f"{first}#2", f"{first}#3")
    assert ids_of(text, all=[1, 2, 3]) == [first, second, third]


def test_an_id_that_is_no_text_is_left_for_the_decoder_to_refuse() -> None:
    assert event_of(one_event('event_id = "uuid"'), uuid=["a"])["event_id"] == ["a"]


def test_an_event_that_no_hash_can_be_made_of_is_refused() -> None:
    with pytest.raises(RejectedError) as refused:
        one_event("""queue = '`"\\ud800"`'""").events(MESSAGE)
    assert (refused.value.reason, refused.value.field) == ("invalid_field", "event_id")
