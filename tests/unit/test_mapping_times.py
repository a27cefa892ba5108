"""Times of other systems."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from models.events.instants import epoch_ms
from stream_app.mapping.times import time_reader, time_zone
from stream_app.wire.decoder import accept_fields

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_772_442_845_000
"""2026-03-02T09:14:05Z."""


@pytest.mark.parametrize(
    ("time_format", "zone", "value", "instant"),
    [
        ("epoch_seconds", None, 1_772_442_845, AT),
        ("epoch_seconds", None, 1_772_442_845.25, AT + 250),
        ("epoch_seconds", None, "1772442845", AT),
        ("epoch_milliseconds", None, AT, AT),
        ("epoch_milliseconds", BERLIN, f"{AT}", AT),
        ("rfc3339", BERLIN, "2026-03-02T10:14:05", AT),
        ("rfc3339", BERLIN, "2026-03-02T09:14:05Z", AT),
        ("rfc3339", BERLIN, "2026-03-02T09:14:05.120456789Z", AT + 120),
        ("rfc3339", BERLIN, AT, AT),
        ("%Y-%m-%d %H:%M:%S", ZoneInfo("UTC"), "2026-03-02 09:14:05", AT),
        ("%Y-%m-%d %H:%M:%S", BERLIN, "2026-3-2 10:14:05", AT),
        ("%Y-%m-%dT%H:%M:%S", BERLIN, "2026-03-02T10:14:05", AT),
        ("%Y-%m-%dT%H:%M:%S%z", None, "2026-03-02T10:14:05+0100", AT),
        ("%d.%m.%Y %H:%M", BERLIN, "02.03.2026 10:14", AT - 5_000),
        ("%Y-%m-%d", BERLIN, "2026-03-02", 1_772_406_000_000),
    ],
)
def test_a_time_in_its_format_is_an_instant(time_format: str, zone: ZoneInfo | None, value: object, instant: int) -> None:
    assert time_reader(time_format, zone)(value) == instant


#                 01:59   02:00 … 02:59   03:00            one hour is left out on 29 March
#   UTC           00:59                   01:00
@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
    ],
)
def test_a_local_time_that_the_clock_leaves_out_is_read_with_the_offset_before(local: str, utc: str) -> None:
    assert time_reader("%Y-%m-%d %H:%M:%S", BERLIN)(local) == _instant(utc)


#   local         02:30 summer    02:30 winter             the same hour twice on 25 October
#   UTC           00:30           01:30
def test_a_local_time_that_exists_twice_is_the_first_of_the_two() -> None:
    assert time_reader("%Y-%m-%d %H:%M:%S", BERLIN)("2026-10-25 02:30:00") == _instant("2026-10-25T00:30:00Z")
    assert time_reader("rfc3339", BERLIN)("2026-10-25T02:30:00") == _instant("2026-10-25T00:30:00Z")


def _instant(text: str) -> int:
    fields = {"type": "message.customer", "event_id": "e", "case_id": "c", "occurred_at": text}
    return accept_fields(fields, -1, "").occurred_at


@pytest.mark.parametrize(
    ("time_format", "value", "words"),
    [
        ("epoch_seconds", "soon", "not a number"),
        ("epoch_seconds", True, "not a number"),
        ("epoch_seconds", "nan", "not a number"),
        ("epoch_milliseconds", 1e999, "not a number"),
        ("epoch_milliseconds", None, "not a number"),
        ("%Y-%m-%d %H:%M:%S", 5, "not a text in the format"),
        ("%Y-%m-%d %H:%M:%S", "yesterday", "does not match format"),
        ("%Y-%m-%d %H:%M:%S", "2026-13-02 10:14:05", "month must be in"),
    ],
)
def test_what_is_no_such_time_is_refused(time_format: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        time_reader(time_format, BERLIN)(value)


def test_a_text_that_is_no_rfc3339_is_left_to_the_decoder_which_names_the_field() -> None:
    assert time_reader("rfc3339", BERLIN)("yesterday") == "yesterday"
    assert time_reader("rfc3339", None)("yesterday") == "yesterday"


@pytest.mark.parametrize(
    ("time_format", "words"),
    [
        ("rfc3399", "Did you mean `rfc3339`?"),
        ("%Y-%m-%d %H:%M", "has no %z: say with time_zone"),
        ("%H:%M%z", "has no full date"),
        ("%Y-%m-%d %Q%z", "is no pattern that can be read back"),
    ],
)
def test_a_format_that_could_never_work_is_refused(time_format: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        time_reader(time_format, None)


def test_zones_are_names_of_the_time_zone_database() -> None:
    assert time_zone("Europe/Berlin") == BERLIN
    for name in ("Europe/Berln", "../etc/passwd", "", "CEST+2"):
        with pytest.raises(ValueError, match="not a time zone"):
            time_zone(name)


def test_a_leap_second_of_a_mapped_event_is_taken() -> None:
    assert _instant("2016-12-31T23:59:60Z") == epoch_ms(1_483_228_800_000)
