"""Which breaches are none: at no instant at or after its due would a reader who knew everything up to that instant have said so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from models.cases.fold import fold_all
from models.cases.items import Item, item_of
from models.cases.row import order
from models.cases.rules import CaseRules
from models.panes.dimensions import Dimensions
from models.sla.clock import PASSED
from stream_app.wire import canonical
from tests.simulation.broker import Broker
from tests.simulation.plan import PARTITIONS, Body


class _Said(msgspec.Struct):
    id: str
    case_id: str
    metric: str
    due_at: int | None


_said = msgspec.json.Decoder(_Said)


def false_breaches(broker: Broker, definitions: Body) -> Iterator[str]:
    """Ids of breaches that only someone who did not know everything could say."""
    rules = CaseRules.from_body(definitions)
    said = {
        record.value for number in range(PARTITIONS) for record in broker.logs["sla-events", number] if record.value and b'"breached"' in record.value
    }
    breaches = [_said.decode(value) for value in said]
    items = _items(broker, {breach.case_id for breach in breaches})
    for breach in breaches:
        if breach.due_at is None or not _is_due(items[breach.case_id], breach.metric, breach.due_at, rules):
            yield breach.id


def _is_due(items: list[Item], metric: str, due_at: int, rules: CaseRules) -> bool:
    instants = {due_at, *(item[0] for item in items if item[0] > due_at)}
    return any(_is_passed(items, metric, due_at, instant, rules) for instant in sorted(instants))


def _is_passed(items: list[Item], metric: str, due_at: int, instant: int, rules: CaseRules) -> bool:
    fold = fold_all([item for item in items if item[0] <= instant], rules, Dimensions(), instant)
    clocks = [clock for clock in (fold.reply_clock, fold.resolution_clock) if clock is not None and clock.metric == metric]
    return not fold.exempt and any(clock.state == PASSED and clock.due == due_at for clock in clocks)


def _items(broker: Broker, cases: set[str]) -> dict[str, list[Item]]:
    by_id: dict[str, dict[str, Item]] = {case: {} for case in cases}
    for number in range(PARTITIONS):
        for record in broker.logs["events", number]:
            if record.key is not None and (case := record.key.decode()) in cases:
                item = item_of(canonical.decode_event(record.value or b""))
                by_id[case][item[2]] = item
    return {case: sorted(items.values(), key=order) for case, items in by_id.items()}
