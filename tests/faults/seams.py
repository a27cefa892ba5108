"""A worker with a weakness: ``python -m tests.faults.seams '<JSON>' --config FILE worker`` is the ``deskpulse`` command, weakened.

What is weakened lives here and not in the product; the keys of the JSON are the fields of ``Seam``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from models.cases import logic
from models.durability import compaction
from stream_app.engine.assignment import Assignment
from stream_app.engine.outbox import Outbox
from stream_app.engine.recovery import Recovery
from stream_app.engine.rollup import RollupRunner

POINTS = (
    "before the panes",
    "panes acknowledged",
    "rows on their way",
    "rows acknowledged",
    "marker acknowledged",
    "committed",
    "before Intake's commit",
    "after Intake's commit",
    "KPIs on their way",
    "recovered, not yet open",
)
"""Named moments at which a worker can be made to die."""

_PARTS = 3
"""A checkpoint writes panes, rows and the marker, in this order."""


class Seam(msgspec.Struct, kw_only=True):
    """``die_at`` a point, the ``after``-th time it comes by. ``fails_on``: a case (``*`` for all) whose events raise.
    ``hangs_after`` so many seconds of life, in the handler. ``rewrite_over``: checkpoints, see ``models.durability.compaction``."""

    die_at: str = ""
    after: int = 1
    fails_on: str = ""
    hangs_after: float = 0.0
    rewrite_over: int = 0


class Death:
    """SIGKILL, the n-th time."""

    def __init__(self, seam: Seam) -> None:
        self._seam = seam
        self._seen = 0

    def at(self, point: str) -> None:
        """A point has come by."""
        if point == self._seam.die_at:
            self._seen += 1
            if self._seen == self._seam.after:
                os.kill(os.getpid(), signal.SIGKILL)


def die_in_checkpoints(death: Death) -> None:
    """Points between the parts of a checkpoint."""
    parts: dict[tuple[str, int], int] = {}
    put, commit = Outbox.put_changelog, Assignment._commit_log

    def put_changelog(self: Outbox, changelog: str, partition: int, records: Any, owner: Any) -> None:
        part = parts[changelog, partition] = (parts.get((changelog, partition), -1) + 1) % _PARTS
        death.at(("before the panes", "panes acknowledged", "rows acknowledged")[part])
        put(self, changelog, partition, records, owner)
        if part == 1 and records:
            self.loop.call_later(0.002, death.at, "rows on their way")

    async def commit_log(self: Assignment, log: str, partition: int, offset: int) -> None:
        death.at("marker acknowledged")
        await commit(self, log, partition, offset)
        death.at("committed")

    Outbox.put_changelog = put_changelog  # type: ignore[method-assign]
    Assignment._commit_log = commit_log  # type: ignore[method-assign]


def die_elsewhere(death: Death) -> None:
    """Points of Intake, Rollup and recovery."""
    commit, recover, publish = Assignment._commit, Recovery.recover, RollupRunner._rest

    async def commit_input(self: Assignment, offsets: Any) -> None:
        of_intake = any(tp.topic in self._inputs for tp in offsets)
        if of_intake:
            death.at("before Intake's commit")
        await commit(self, offsets)
        if of_intake:
            death.at("after Intake's commit")

    async def rest(self: RollupRunner, *, catching_up: bool) -> None:
        if len(self._own.pending):
            self._outbox.loop.call_later(0.002, death.at, "KPIs on their way")
        await publish(self, catching_up=catching_up)

    async def recovered(self: Recovery, partitions: Any) -> Any:
        found = await recover(self, partitions)
        death.at("recovered, not yet open")
        return found

    Assignment._commit = commit_input  # type: ignore[method-assign]
    RollupRunner._rest = rest  # type: ignore[method-assign]
    Recovery.recover = recovered  # type: ignore[method-assign]


def weaken_handler(seam: Seam) -> None:
    """A handler that raises, or hangs."""
    module: Any = logic
    take: Callable[..., Any] = module.take
    apply = module.CasesLogic.apply
    began = time.monotonic()
    failing = [False]

    def weak_take(*arguments: Any) -> Any:
        if seam.hangs_after and time.monotonic() - began > seam.hangs_after:
            time.sleep(100_000)
        if failing[0]:
            raise RuntimeError("a bug of the handler")
        return take(*arguments)

    def weak_apply(self: logic.CasesLogic, key: str, *arguments: Any) -> Any:
        failing[0] = seam.fails_on in {"*", key}
        return apply(self, key, *arguments)

    module.take = weak_take
    module.CasesLogic.apply = weak_apply


def main() -> None:
    """Weaken, then be the command."""
    seam = msgspec.json.decode(sys.argv.pop(1), type=Seam)
    if seam.die_at:
        death = Death(seam)
        die_in_checkpoints(death)
        die_elsewhere(death)
    if seam.fails_on or seam.hangs_after:
        weaken_handler(seam)
    if seam.rewrite_over:
        compaction.REWRITE_OVER, compaction.TOMBSTONE_AFTER = seam.rewrite_over, seam.rewrite_over * 8 // 3
    from stream_app.cli import main as command

    command()


if __name__ == "__main__":
    main()
