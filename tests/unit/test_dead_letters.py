"""Dead letters as an operator meets them: taken apart, chosen, judged by today's decoder, sent back once."""

from __future__ import annotations

import asyncio
import shlex
import sys
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import msgspec
import pytest
from aiokafka import TopicPartition

from agents.ports import Output
from models.durability.keyed import Message
from models.events.accepted import Accepted
from models.events.canonical import ContactVersion, Event
from models.events.rejection import Reason, RejectedError
from stream_app.dead_letters.editing import edit_with
from stream_app.dead_letters.letters import REPLAYED, REPLAYED_FROM, Choice, Letter, letter_of, note_of, replayed_in
from stream_app.dead_letters.remedies import REMEDIES, UNKNOWN, refusal, remedy
from stream_app.dead_letters.replaying import EditError, Replay, Terms
from stream_app.wire.dead_letters import SIZE_CAP_BYTES, dead_letter
from stream_app.wire.keyed import CASES, CUSTOMERS
from tests.support.input_records import NOW, InputRecord, message

INPUTS = {"contacts": "desk-contacts", "surveys": "surveys"}
REJECTION = RejectedError("unknown_type", "type", "no such type")


def written(output: Output, offset: int = 17) -> InputRecord:
    """The letter as the topic has it."""
    return InputRecord(output.value, offset, NOW, output.key, tuple(output.headers))


def by_intake(value: bytes | None = message(), *, offset: int = 17, headers: tuple[tuple[str, bytes], ...] = (), reason: Reason = "unknown_type") -> Letter:
    record = InputRecord(value, 5, NOW, b"c1", headers)
    return letter_of(written(dead_letter(record, "desk-contacts", 1, RejectedError(reason, "type", "no such type"), "intake"), offset))


def by_cases(reason: str = "handler_error") -> Letter:
    event = Event(type="message.customer", occurred_at=NOW, event_id="e1", case_id="c1", origin="contacts-1@5")
    return letter_of(written(CASES.output(Message("dead-letters", "c1", {"reason": reason, "record": event, "detail": "KeyError()"}))))


# -- taken apart ----------------------------------------------------------------------------------------


def test_a_letter_of_intake_gives_the_record_back_as_it_was() -> None:
    headers = (("trace", b"1"), ("reason", b"a header of the sender's own"))
    letter = by_intake(b"{}", headers=headers)
    assert (letter.key, letter.value, list(letter.headers)) == (b"c1", b"{}", list(headers))
    assert (letter.reason, letter.said["field"], letter.by, letter.origin, letter.size) == ("unknown_type", "type", "intake", "desk-contacts-1@5", 2)
    assert (letter.topic, letter.partition, letter.position, letter.is_cut) == ("desk-contacts", 1, 5, False)


def test_a_cut_letter_says_so_and_how_large_the_record_was() -> None:
    letter = by_intake(b"x" * (SIZE_CAP_BYTES + 5))
    assert (letter.is_cut, letter.size) == (True, SIZE_CAP_BYTES + 5)


def test_a_letter_of_cases_names_the_input_record_by_its_logical_topic() -> None:
    letter = by_cases()
    assert (letter.reason, letter.by, letter.origin, list(letter.headers)) == ("handler_error", "cases", "contacts-1@5", [])


def test_a_letter_of_customers_has_no_input_record() -> None:
    version = ContactVersion("c1\u001fk1", (0, 1), "ann", "c1", "k1", 0, ("unset",) * 4)
    letter = letter_of(written(CUSTOMERS.output(Message("dead-letters", "ann", {"reason": "handler_error", "record": version, "detail": ""}))))
    assert (letter.by, letter.origin, letter.partition) == ("customers", "", None)


def test_a_record_of_somebody_else_says_nothing() -> None:
    letter = letter_of(InputRecord(None, 3, headers=(("offset", b"x"),)))
    assert (letter.reason, letter.origin, letter.size, list(letter.headers)) == ("", "", 0, [("offset", b"x")])
    assert remedy(letter.reason) == UNKNOWN


def test_a_note_lists_the_letters_that_are_back() -> None:
    value, headers = note_of([17, 18])
    assert replayed_in(InputRecord(value, headers=tuple(headers))) == {17, 18}
    assert replayed_in(InputRecord(b"{}")) is None


@pytest.mark.parametrize("value", [b"garbage", b"{}", None])
def test_a_note_that_cannot_be_read_lists_none(value: bytes | None) -> None:
    assert not replayed_in(InputRecord(value, headers=((REPLAYED, b""),)))


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(reasons=("unknown_type",)), True),
        (Choice(reasons=("empty",)), False),
        (Choice(topic="surveys"), False),
        (Choice(since=NOW), True),
        (Choice(since=NOW + 1), False),
        (Choice(offsets=(17,)), True),
        (Choice(offsets=(16,)), False),
    ],
)
def test_a_letter_is_chosen_if_it_fits_everything_given(choice: Choice, taken: bool) -> None:
    assert choice.takes(by_intake()) is taken


def test_every_reason_there_is_has_a_remedy() -> None:
    assert set(REMEDIES) == {*get_args(Reason), "handler_error", "conflicting_duplicate"}


def test_the_decoder_is_asked_as_of_when_the_record_would_arrive() -> None:
    value = message(occurred_at=NOW + 600_000)
    early = refusal(value, NOW)
    assert early is not None
    assert early.reason == "from_the_future"
    assert refusal(value, NOW + 600_000) is None


# -- sent back -------------------------------------------------------------------------------------------


@dataclass
class Topics:
    """Box and producer at once. ``held``: input records by partition and offset."""

    topic: str = "deskpulse.dead-letters"
    held: dict[tuple[str, int, int], InputRecord] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=lambda: {"desk-contacts": 2, "surveys": 2})
    sent: list[tuple[str, int | None, bytes | None, bytes | None, list[tuple[str, bytes]]]] = field(default_factory=list)

    async def record(self, partition: TopicPartition, offset: int) -> InputRecord | None:
        return self.held.get((partition.topic, partition.partition, offset))

    async def send(self, topic: str, value: bytes | None, *, key: bytes | None = None, partition: int | None, headers: Any) -> asyncio.Future[None]:
        self.sent.append((topic, partition, key, value, headers))
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged

    async def send_and_wait(self, topic: str, value: bytes, *, partition: int, headers: Any) -> None:
        await self.send(topic, value, partition=partition, headers=headers)


async def replayed(letters: list[Letter], topics: Topics | None = None, before: tuple[int, ...] = (), **terms: Any) -> tuple[Topics, Replay]:
    topics = topics or Topics()
    run = Replay(cast("Any", topics), cast("Any", topics), Terms(INPUTS, NOW, **terms), before)
    await run.send(letters)
    return topics, run


FROM = (REPLAYED_FROM, b"deskpulse.dead-letters-0@17")


async def test_a_letter_goes_back_as_it_was_into_its_partition_and_is_then_noted() -> None:
    topics, run = await replayed([by_intake(headers=(("trace", b"1"),))])
    back, note = topics.sent
    assert back == ("desk-contacts", 1, b"c1", message(), [("trace", b"1"), FROM])
    assert note == ("deskpulse.dead-letters", 0, None, b"[17]", [(REPLAYED, b"")])
    assert (run.outcome.sent, run.outcome.left) == (1, [])


async def test_what_was_replayed_before_is_left_out_unless_wanted_again() -> None:
    topics, run = await replayed([by_intake()], before=(17,))
    assert (topics.sent, run.outcome.sent, run.outcome.before, run.outcome.left) == ([], 0, 1, [])
    _, run = await replayed([by_intake()], before=(17,), again=True)
    assert run.outcome.sent == 1


async def test_a_replayed_record_that_was_refused_again_names_only_its_last_letter() -> None:
    topics, _ = await replayed([by_intake(headers=((REPLAYED_FROM, b"deskpulse.dead-letters-0@3"),))])
    assert topics.sent[0][4] == [FROM]


async def test_what_would_be_refused_today_stays_unless_it_is_wanted() -> None:
    letter = by_intake(b'{"type": "contact.open"}')
    topics, run = await replayed([letter])
    assert (topics.sent, run.outcome.left) == ([], [(17, "would be refused: unknown_type type")])
    topics, run = await replayed([letter], anyway=True)
    assert (len(topics.sent), run.outcome.sent) == (2, 1)


async def test_a_dry_run_decides_and_sends_nothing() -> None:
    topics, run = await replayed([by_intake(), by_intake(b"", offset=18)], dry_run=True)
    assert (topics.sent, run.outcome.sent, run.outcome.reasons) == ([], 1, {"would be refused: empty": 1})


async def test_nothing_to_send_is_not_noted() -> None:
    topics, _ = await replayed([])
    assert topics.sent == []


async def test_a_value_is_mended_by_a_command_before_it_is_judged() -> None:
    async def edit(value: bytes) -> bytes:
        return value.replace(b"open", b"message.customer")

    topics, _ = await replayed([by_intake(message("open"))], edit=edit)
    assert topics.sent[0][3] == message()


async def test_a_command_that_fails_leaves_the_letter_with_its_words() -> None:
    async def edit(value: bytes) -> bytes:
        raise EditError("it ended with 3")

    topics, run = await replayed([by_intake()], edit=edit)
    assert (topics.sent, run.outcome.left) == ([], [(17, "it ended with 3")])


async def test_another_input_may_be_chosen_and_then_the_key_chooses_the_partition() -> None:
    topics, _ = await replayed([by_intake()], to="surveys")
    assert topics.sent[0][:2] == ("surveys", None)


async def test_the_key_chooses_too_where_the_topic_has_fewer_partitions_now() -> None:
    topics, _ = await replayed([by_intake()], Topics(partitions={"desk-contacts": 1}))
    assert topics.sent[0][:2] == ("desk-contacts", None)


async def test_an_input_that_is_no_more_is_not_written_to() -> None:
    letter = letter_of(written(dead_letter(InputRecord(message(), 5), "former", 0, REJECTION, "intake")))
    _, run = await replayed([letter])
    assert run.outcome.left == [(17, "former is no input any more: choose one with --to")]


async def test_a_cut_letter_stays() -> None:
    _, run = await replayed([by_intake(b"x" * (SIZE_CAP_BYTES + 5))], anyway=True)
    assert run.outcome.left == [(17, "not whole in the letter: it was too large")]


async def test_of_a_failed_handler_the_record_itself_is_sent_from_the_input() -> None:
    record = InputRecord(message(extra=1), 5, NOW, b"own key", cast("Any", (("trace", b"1"), ("none", None))))
    topics, _ = await replayed([by_cases()], Topics(held={("desk-contacts", 1, 5): record}))
    assert topics.sent[0] == ("desk-contacts", 1, b"own key", message(extra=1), [("trace", b"1"), ("none", b""), FROM])


async def test_it_stays_when_the_input_does_not_hold_it_any_more() -> None:
    _, run = await replayed([by_cases()])
    assert run.outcome.left == [(17, "its input does not hold the record any more")]


async def test_what_no_input_record_led_to_stays() -> None:
    _, run = await replayed([letter_of(InputRecord(b"{}", 17))])
    assert run.outcome.left == [(17, "no input record led to it directly")]


async def test_a_conflicting_duplicate_stays_unless_it_is_given_another_id() -> None:
    held = Topics(held={("desk-contacts", 1, 5): InputRecord(message(event_id="e1"), 5, key=b"c1")})
    _, run = await replayed([by_cases("conflicting_duplicate")], held)
    assert run.outcome.left == [(17, "would conflict again")]

    async def edit(value: bytes) -> bytes:
        return value.replace(b'"e1"', b'"e2"')

    topics, _ = await replayed([by_cases("conflicting_duplicate")], held, edit=edit)
    assert msgspec.json.decode(topics.sent[0][3] or b"")["event_id"] == "e2"


async def test_what_the_mapping_of_the_input_takes_today_is_taken() -> None:
    """The rule was added since, and the bytes alone are no event."""

    def mapping(value: bytes | None, timestamp: int, origin: str) -> list[Accepted]:
        if value != b"a webhook":
            raise RejectedError("unmapped")
        return []

    letters = [by_intake(b"a webhook", reason="unmapped"), by_intake(message(), offset=18)]
    topics, run = await replayed(letters, mappings={"contacts": mapping})
    assert topics.sent[0][:4] == ("desk-contacts", 1, b"c1", b"a webhook")
    assert run.outcome.left == [(18, "would be refused: unmapped")]


# -- editing ---------------------------------------------------------------------------------------------


def python(code: str) -> str:
    return f"{sys.executable} -c {shlex.quote(code)}"


async def test_a_command_gets_the_bytes_and_gives_new_ones() -> None:
    edit = edit_with(python("import sys; sys.stdout.write(sys.stdin.read().upper())"))
    assert await edit(b"abc") == b"ABC"


@pytest.mark.parametrize(
    ("command", "seconds", "words"),
    [
        (python("raise SystemExit(3)"), 30.0, "ended with 3"),
        ("/no/such/program", 30.0, "cannot be started: No such file"),
        (python("import time; time.sleep(60)"), 0.1, "took more than 0 s"),
    ],
)
async def test_a_command_that_does_not_work_says_how(command: str, seconds: float, words: str) -> None:
    with pytest.raises(EditError, match=words):
        await edit_with(command, seconds)(b"abc")


@pytest.mark.parametrize("command", ["", "sed 's/a"])
def test_a_command_line_that_cannot_be_read_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match=r"empty|closing quotation"):
        edit_with(command)
