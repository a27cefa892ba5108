"""``python -m bench.memory``: what an open case of 8 events takes once nothing touches it any more, without a broker."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from agents.cases import CasesProcessor
from models.events.canonical import Definitions, Event, Mark
from stream_app.engine import garbage
from stream_app.settings import Settings
from stream_app.wire.keyed import CASES

BEGIN = 1_750_000_000_000
MINUTE = 60_000
CASES_PER_CHECKPOINT = 250
OPENING = {"channel": "email", "queue": "billing", "priority": "normal", "reason": "refund"}


def resident() -> int:
    """Resident bytes of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096


def events_of(number: int) -> list[Event]:
    """An open case: opened, answered and written to and fro."""
    case = f"case-{number:08d}"
    at = BEGIN + number * 10

    def happened(name: str, minutes: int, **fields: object) -> Event:
        return Event(name, at + minutes * MINUTE, f"{case}-{minutes}", case, f"contacts-{number % 4}@{8 * number + minutes}", **fields)  # type: ignore[arg-type]

    contact = {"contact_id": case}
    return [
        happened("contact.opened", 0, **contact, customer_id=f"customer-{number % 50_000}", **OPENING),
        happened("message.representative", 5, representative_id="rep-17", public=True),
        happened("message.customer", 9),
        happened("case.priority_changed", 12, priority="urgent"),
        happened("message.representative", 20, representative_id="rep-17", public=True),
        happened("case.status_changed", 21, status="pending_customer"),
        happened("message.customer", 50),
        happened("case.status_changed", 51, status="open"),
    ]


def main() -> None:
    """Open case after case, with marks and checkpoints as they would come, and measure how the process grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    given = parser.parse_args()
    processor = CasesProcessor(4, CASES)
    state = processor.new_state(0)
    state.define(Definitions(1, Settings().definitions()), 0)
    garbage.switch_off()
    sizes = []
    for number in range(given.cases):
        for event in events_of(number):
            state.apply(event.case_id, event, state.offset)
        if number % CASES_PER_CHECKPOINT == 0:
            passed = BEGIN + number * 10
            state.mark(Mark({"contacts-0": passed}, {"contacts": 1}, clock=passed + 12 * 60 * MINUTE), state.offset)
            processor.publish(state)
            processor.checkpoint(state)
        if number in {given.cases // 2, given.cases - 1}:
            gc.collect()
            sizes.append(resident())
    in_use = state.rows["case-00000000"]
    print(f"row in the changelog {len(CASES.row(in_use)):6,} bytes")
    each = (sizes[1] - sizes[0]) / (given.cases - given.cases // 2)
    print(f"open case            {each:6,.0f} bytes of memory, row, timer and levels")


if __name__ == "__main__":
    main()
