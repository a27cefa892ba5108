"""Rollup as one object: records of the panes topic in, rows to publish out. It has no state of its own anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from models.catalogue.entry import Kpi
from models.catalogue.registry import BY_ID
from models.catalogue.values import KpiValue
from models.panes.pane import Pane, remove
from models.panes.tiers import FAST_KEPT, HOUR, MINUTE
from models.panes.windows import NOW, SETTLING, SPAN
from models.rollup.balances import PREFIX, split_balances
from models.rollup.closing import ClosingWindow
from models.rollup.facts import Facts
from models.rollup.groups import Groups
from models.rollup.levels import Levels
from models.rollup.live import LiveRows
from models.rollup.newest import Decode, NewestPanes
from models.rollup.pipeline import NAMES, PipelineRows
from models.rollup.progress import Progress
from models.rollup.records import (
    Cell,
    KpiRecord,
    KpiRow,
    LevelRecord,
    PaneKey,
    PaneRecord,
    PartitionKey,
    StatusRecord,
)
from models.rollup.rows import ROUTE, row_name
from models.rollup.settings import RollupSettings
from models.rollup.span import SpanRows

FAST_REACH: Final = HOUR + MINUTE
"""No live window reaches further back (ms) in fast slices."""
FORGETTING: Final = 10 * MINUTE
"""What no window reaches any more is looked for after so much (ms) of the log's clock: in a backlog at every publish."""
CATCHING_UP: Final = MINUTE
"""A log clock that moved this much (ms) between two publishes belongs to a backlog or a replay."""

ALL_READ_EFFORT: Final = 20
"""Once the watermark is past every fact, budgets grow by this; the watermark's row then waits until nothing else does."""


class Rollup:
    """Everything one owner of the panes topic knows, from reading it from its start."""

    def __init__(self, settings: RollupSettings, decode: Decode) -> None:
        self._settings = settings
        self._groups = Groups(settings.grouping_sets)
        self._facts = Facts(settings.zone, span=settings.span)
        self._levels = Levels(self._groups, settings.partitions)
        self._newest = {"fast": NewestPanes(decode), "slow": NewestPanes(decode)}
        self.progress = Progress(settings.partitions)
        self._live = LiveRows(settings, self._groups, self._facts, self._levels)
        self._closing = {window: ClosingWindow(window, settings, self._groups, self._facts) for window in settings.closing}
        self._span = SpanRows(self._groups, self._facts) if settings.span else None
        self._pipeline = PipelineRows(self.progress, self._levels)
        self._expired: dict[int, list[tuple[int, tuple[int, ...], Pane]]] = {}
        self._bases: dict[PartitionKey, dict[Cell, Pane]] = {}
        self._fast: dict[bytes, tuple[PaneKey, PaneRecord]] = {}
        self._obsolete: list[KpiRow] = []
        self._published_clock: int | None = None
        self.moved = 0
        self.behind = False
        self._publishes = 0
        self._forgot_at = 0
        self._through: int | None = None

    def take_pane(self, identity: bytes, key: PaneKey, record: PaneRecord) -> None:
        """A pane; ``identity`` is the encoded key. Raises ``ValueError`` for unreadable facts."""
        if key.tier == "fast":
            waiting = self._fast.get(identity)
            if waiting is None or record.fence > waiting[1].fence:
                self._fast[identity] = (key, record)
            return
        change = self._newest["slow"].replace(key.start, identity, record)
        if not change:
            return
        groups = self._groups.of(key.cell)
        if record.deleted:
            self._defer(key, groups, split_balances(change))
        self._facts.change("slow", key.start, groups, change, expired=record.deleted)

    def _take_fast(self, clock: int) -> None:
        """Read the fast panes that came since the last publish; in a backlog most are out of reach by now."""
        waiting, self._fast = self._fast, {}
        for identity, (key, record) in waiting.items():
            if key.start < clock - FAST_REACH:
                continue
            change = self._newest["fast"].replace(key.start, identity, record)
            if change:
                self._facts.change("fast", key.start, self._groups.of(key.cell), change)

    def _defer(self, key: PaneKey, groups: tuple[int, ...], balances: Pane) -> None:
        """Balances of a deleted slice stay until the base of its partition holds them."""
        if balances:
            self._expired.setdefault(key.partition, []).append((key.start, groups, balances))

    def take_level(self, key: PartitionKey, record: LevelRecord) -> None:
        """All levels of one partition, and the base of its balances. It comes more often than a status and tells the time too."""
        if record.clock is not None:
            self.progress.hear(record.clock)
        if not self._levels.replace(key, record):
            return
        former, present = self._bases.get(key, {}), dict(record.base)
        for cell in former.keys() | present.keys():
            change = {name.removeprefix(PREFIX): n for name, n in present.get(cell, {}).items()}
            remove(change, {name.removeprefix(PREFIX): n for name, n in former.get(cell, {}).items()})
            if change:
                self._facts.rebase(self._groups.of(cell), change)
        self._bases[key] = present
        if record.base_through is not None:
            self._release(key.partition, record.base_through)

    def _release(self, partition: int, through: int) -> None:
        waiting = self._expired.get(partition, [])
        for start, groups, balances in waiting:
            if start < through:
                for group in groups:
                    self._facts.of(group).balances.add(start, balances)
        self._expired[partition] = [entry for entry in waiting if entry[0] >= through]

    def take_status(self, key: PartitionKey, record: StatusRecord) -> None:
        """How far one partition is."""
        self.progress.replace(key, record)

    def take_published(self, row: KpiRow) -> None:
        """A row that another Rollup has published, in the topic's order. One that settings or catalogue no longer have is deleted."""
        if row.kpi in NAMES:
            self._pipeline.read(row)
            return
        record = row.record
        labels = {name: value for name, value in row.group.items() if name != ROUTE}
        group = self._groups.find(labels)
        name = row_name(row.kpi, row.group.get(ROUTE, ""))
        known = group is not None and row.kpi in BY_ID
        if row.topic == "kpis":
            if group is not None and known and (row.window == NOW or row.window in self._settings.live):
                self._live.read(group, row.window, name, record)
            elif record is not None:
                self._obsolete.append(replace(row, record=None))
        elif group is not None and known and record is not None and row.window_start is not None:
            self._take_final(row.window, row.window_start, group, name, record)

    def _take_final(self, window: str, start: int, group: int, name: str, record: KpiRecord) -> None:
        if window in self._closing:
            self._closing[window].read(start, group, name, record)
        elif window == SPAN and self._span is not None:
            self._span.read(group, name, record)

    def publish(self) -> list[KpiRow]:
        """Rows that changed since the last call, the watermark's last. Only for one that has read everything."""
        rows, self._obsolete = self._obsolete, []
        clock, watermark = self.progress.clock(), self.progress.watermark()
        if clock is None:
            return rows
        former = self._published_clock
        clock = clock if former is None else max(clock, former)
        self._published_clock = clock
        self._publishes += 1
        self._live.move(clock)
        self._take_fast(clock)
        quiet = self._flush()
        everything = self._all_read(watermark)
        effort = ALL_READ_EFFORT if everything else 1
        through = None if watermark is None else self._close(rows, watermark, effort)
        self.moved = 0 if former is None else clock - former
        budget = self._settings.catching_up_budget if self.moved > CATCHING_UP else self._settings.live_budget
        rows.extend(self._live.publish(clock, watermark, budget * effort))
        if self._span is not None and (quiet or everything or self._publishes % self._settings.span_every == 0):
            rows.extend(self._span.publish(watermark, budget * effort))
        waiting = self._waiting()
        self.behind = quiet and clock == former and (waiting or through != watermark)
        if everything and waiting:
            through = self._through
        self._through = through
        rows.extend(self._pipeline.publish(clock, watermark, through))
        self._forget(clock, watermark)
        return rows

    def _waiting(self) -> bool:
        windows = [window.waiting() for window in self._closing.values()]
        return any(windows) or self._live.waiting() or (self._span is not None and self._span.waiting())

    def _flush(self) -> bool:
        """Apply what was read; whether that was nothing."""
        quiet = True
        for touched in self._facts.flush():
            quiet = False
            self._live.touch(touched)
            if touched.tier == "fast" or touched.expired:
                continue
            for window in self._closing.values():
                window.touch(touched)
            if self._span is not None:
                self._span.touch(touched.group)
        return quiet

    def _all_read(self, watermark: int | None) -> bool:
        return watermark is not None and self._facts.end is not None and watermark >= self._facts.end

    def _close(self, rows: list[KpiRow], watermark: int, effort: int) -> int:
        """Final rows and their corrections; the watermark up to which all final rows are out."""
        through = watermark
        for window in self._closing.values():
            rows.extend(window.close(watermark, self._settings.closing_budget))
            behind = window.behind(watermark)
            if behind is not None:
                through = min(through, behind + SETTLING)
            rows.extend(window.revise(watermark, self._settings.revision_budget * effort))
        return through

    def _forget(self, clock: int, watermark: int | None) -> None:
        self._newest["fast"].forget(clock - FAST_KEPT)
        if watermark is None or clock < self._forgot_at + FORGETTING:
            return
        self._forgot_at = clock
        oldest = watermark - self._settings.horizon
        self._newest["slow"].forget_deleted(oldest - HOUR)
        self._facts.forget(clock - FAST_KEPT, oldest - 26 * HOUR)
        for window in self._closing.values():
            window.forget(oldest)

    def current(self) -> Iterable[tuple[Kpi, str, dict[str, str], KpiValue]]:
        """Every live row as last published: KPI, window, group, value."""
        return self._live.current()
