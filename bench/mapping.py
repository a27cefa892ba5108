"""What a mapped message costs beside an unmapped one: CPU of Intake, in memory, the same facts in both.

Every fact is told twice: as an event of the input contract, and as a webhook of a ticket system with what such a message carries
besides. ``python -m bench.mapping`` measures it alone.
"""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import thread_time

import orjson

from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings, SourceMapping
from models.progress.sources import InputSource
from stream_app.mapping.file import parse_rules
from stream_app.mapping.source import source_mapping
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode

MESSAGES = 30_000
ROUNDS = 7
FETCH = 2_000
NOW = 4_000_000_000_000

PAGE = Path(__file__).parent.parent / "docs/how-to/map-zendesk.md"
"""Its one TOML block is the mapping that is measured."""


@dataclass(frozen=True)
class Compared:
    """CPU microseconds of Intake per message, medians of interleaved rounds, and the bytes of a message."""

    unmapped_us: float
    mapped_us: float
    unmapped_bytes: float
    mapped_bytes: float

    @property
    def ratio(self) -> float:
        return self.mapped_us / self.unmapped_us

    def plain(self) -> dict[str, float]:
        return {**dataclasses.asdict(self), "ratio": self.ratio}


class Told:
    """A record as a consumer hands it out."""

    __slots__ = ("headers", "key", "offset", "timestamp", "value")

    def __init__(self, offset: int, value: object) -> None:
        self.offset, self.key, self.timestamp, self.headers = offset, None, NOW, ()
        self.value = orjson.dumps(value)


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> Compared:
    facts = [_fact(number) for number in range(messages)]
    plain = [Told(number, plain) for number, (plain, _) in enumerate(facts)]
    webhooks = [Told(number, webhook) for number, (_, webhook) in enumerate(facts)]
    written = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    mapping = source_mapping(parse_rules(written, PAGE.name))
    unmapped_us, mapped_us = [], []
    for _ in range(rounds):
        unmapped_us.append(_cost(plain, None))
        mapped_us.append(_cost(webhooks, mapping))
    return Compared(median(unmapped_us), median(mapped_us), _bytes(plain), _bytes(webhooks))


def lines(compared: Compared | None) -> list[str]:
    """For the report."""
    if compared is None:
        return []
    text = (
        f"Source mapping: a message costs Intake {compared.unmapped_us:.1f} µs of CPU as an event of the input contract "
        f"({compared.unmapped_bytes:.0f} bytes) and {compared.mapped_us:.1f} µs as a ticket system's webhook with the same fact "
        f"({compared.mapped_bytes:.0f} bytes), {compared.ratio:.2f} times as much."
    )
    return [text]


def _cost(records: Sequence[Told], mapping: SourceMapping | None) -> float:
    settings = IntakeSettings({"contacts": InputSource(1, "declared")})
    intake = IntakeProcessor(settings, IntakeCodec(decode, canonical.encode, dead_letter), {"contacts": mapping} if mapping else None)
    intake.assigned({"contacts-0"})
    gc.collect()
    began = thread_time()
    for at in range(0, len(records), FETCH):
        intake.handle("contacts-0", records[at : at + FETCH])
    spent = thread_time() - began
    if intake.counters.accepted != len(records):
        raise RuntimeError(f"{intake.counters.accepted} of {len(records)} messages were accepted: {intake.counters.dead_lettered}")
    return spent * 1e6 / len(records)


def _bytes(records: Sequence[Told]) -> float:
    return sum(len(record.value) for record in records) / len(records)


KINDS = ("created", "comment_added", "comment_added", "priority_changed", "status_changed", "status_changed")


def _fact(number: int) -> tuple[dict[str, object], dict[str, object]]:
    """The same fact as an event and as a webhook: a case is opened, answered, written to, re-prioritised, solved and closed in turn."""
    case, step = divmod(number, len(KINDS))
    ticket, customer, person, group = f"{35_000 + case}", f"{8_447_388 + case % 5_000}", f"{76_800 + case % 90}", f"{98_700 + case % 12}"
    time = f"2026-01-{1 + case * 7 % 28:02}T{step * 3 % 24:02}:{case % 60:02}:{number % 60:02}.{number % 1000:03}Z"
    event_id = f"{number:08x}-8f4a-4c2e-a1b9-8e4f39c71d52"
    more: list[dict[str, object]] = [
        {"type": "contact.opened", "customer_id": customer, "channel": "web_form", "queue": group, "priority": "high"},
        {"type": "message.representative", "representative_id": person, "public": True},
        {"type": "message.customer"},
        {"type": "case.priority_changed", "priority": "urgent"},
        {"type": "case.resolved"},
        {"type": "case.closed"},
    ]
    events: list[dict[str, object]] = [
        {},
        {"comment": {"id": event_id[:8], "body": "We look into it.", "is_public": True, "author": {"id": person, "is_staff": True}}},
        {"comment": {"id": event_id[:8], "body": "Any news?", "is_public": True, "author": {"id": customer, "is_staff": False}}},
        {"current": "URGENT", "previous": "HIGH"},
        {"current": "SOLVED", "previous": "OPEN"},
        {"current": "CLOSED", "previous": "SOLVED"},
    ]
    detail = {
        "actor_id": person, "assignee_id": person, "brand_id": "123", "created_at": time, "custom_status": "8447320465790",
        "description": "The invoice shows an amount that was paid already.", "external_id": None, "form_id": "8646151517822",
        "group_id": group, "id": ticket, "is_public": True, "organization_id": "8447346622462", "priority": "HIGH",
        "requester_id": customer, "status": "OPEN", "subject": "Invoice", "submitter_id": customer, "tags": ["invoice", "web"],
        "type": "QUESTION", "updated_at": time, "via": {"channel": "web_form"},
    }  # fmt: skip
    webhook = {
        "account_id": 22129848, "detail": detail, "event": {**events[step], "meta": {"sequence": {"id": event_id, "position": 1}}},
        "id": event_id, "subject": f"zen:ticket:{ticket}", "time": time, "type": f"zen:event-type:ticket.{KINDS[step]}",
        "zendesk_event_version": "2022-11-06",
    }  # fmt: skip
    return {**more[step], "occurred_at": time, "event_id": event_id, "case_id": ticket}, webhook


if __name__ == "__main__":
    print("\n".join(lines(measure())))
