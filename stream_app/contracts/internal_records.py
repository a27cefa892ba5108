"""Records of the topic ``panes``, which only Rollup reads. The records of the logs are ``models.events.canonical``'s own."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from models.panes.dimensions import Cell
from stream_app.contracts.fields import Fence, described, instant
from stream_app.contracts.kpi_records import NextItem

Levels = list[tuple[Cell, dict[str, int]]]

PaneKey = Annotated[
    tuple[Literal["p"], Literal["cases", "customers"], int, Literal["fast", "slow"], int, Cell],
    described('`["p", processor, partition, tier, slice_start, [queue, channel, priority, team]]` as JSON.'),
]
PartitionKey = Annotated[
    tuple[Literal["l", "s"], Literal["cases", "customers"], int],
    described('`[kind, processor, partition]` as JSON; kind is "l" for levels, "s" for a status.'),
]


class PaneValue(msgspec.Struct, forbid_unknown_fields=True):
    """A pane: cumulative for its partition, replaces the former."""

    fence: Fence
    facts: Annotated[dict[str, int], described("Sum of each fact.")]


class ExpiredPane(msgspec.Struct, forbid_unknown_fields=True):
    """A pane that has expired. A tombstone follows later."""

    fence: Fence
    deleted: Literal[True]


class LevelValue(msgspec.Struct, forbid_unknown_fields=True):
    """All levels of a partition; an absent cell is zero."""

    fence: Fence
    as_of: Annotated[int | None, instant("The partition's watermark.")]
    base_through: Annotated[int | None, instant("Slow slices that end here or before are deleted and stand in `base`.")]
    base: Annotated[Levels, described("Balances of the deleted slices.")]
    cells: Annotated[Levels, described("The levels.")]
    next: Annotated[list[NextItem], described("The ten clocks that are due first.")]
    clock: Annotated[int | None, instant("The log's clock.")] = None


class StatusValue(msgspec.Struct, forbid_unknown_fields=True):
    """How far a partition is, once a second; sent after the panes it speaks of."""

    fence: Fence
    watermark: Annotated[int | None, instant("The partition's watermark.")]
    clock: Annotated[int, instant("The log's clock.")]
    partitions: Annotated[int, described("How many partitions the log has.")]
    sources: Annotated[dict[str, int | None], instant("Progress of each source.")]
    counters: Annotated[dict[str, int], described("What the partition has counted.")]
    definitions: Annotated[int, described("Version of the definitions in force.")]
    simulated: Annotated[bool, described("The events are made up.")]
