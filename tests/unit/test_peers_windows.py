"""The peers' job on Deskpulse's engine: whatever of a checkpoint a crash leaves, replay from its marker gives the oracle's rows.

    log          0 ────────────── 700 ──────────── 1200 ───── crash
    changelog    panes to 700, marker 700, panes to 1200 (all of them, some, or none)
    replay                         700 ──────────────────────────────> end
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from agents.ports import Checkpoint
from bench.peers import job
from bench.peers.contenders.deskpulse import MARKER, State, Windows


@dataclass
class LogRecord:
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


class Watch:
    """Counts nothing."""

    def start(self) -> None: ...

    def count(self, records: int = 1) -> bool:
        return False


EVENTS = [(key, value) for partition, key, value in job.events(8_000) if partition == 0]
LOG = [LogRecord(offset, key, value) for offset, (key, value) in enumerate(EVENTS)]
TRUTH = job.truth(value for _, value in EVENTS)
Changelog = list[tuple[bytes, bytes | None]]


def processor() -> Windows:
    watch: Any = Watch()
    return Windows(watch, watch)


def recovered(changelog: Changelog) -> State:
    recovering = processor().recover(0)
    for key, value in changelog:
        recovering.absorb(key, value)
    state = recovering.complete()
    state.offset = max(state.offset, 0)
    return state


def handle(state: State, end: int, size: int) -> None:
    for start in range(state.offset, end, size):
        processor().handle(state, LOG[start : min(start + size, end)])


def rows(state: State) -> dict[job.Window, job.Row]:
    return {window: job.row(pane.accumulated()) for window, pane in state.panes.items()}


def records(cut: Checkpoint) -> Changelog:
    return [*cut.panes, *cut.rows, cut.marker]


def test_an_uninterrupted_run_gives_the_oracles_rows() -> None:
    state = recovered([])
    handle(state, len(LOG), 300)
    assert rows(state) == TRUTH


@pytest.mark.parametrize("seed", range(40))
def test_state_is_exact_after_any_number_of_crashes(seed: int) -> None:
    random = Random(seed)
    changelog: Changelog = []
    state = recovered(changelog)
    while state.offset < len(LOG):
        handle(state, min(len(LOG), state.offset + random.randrange(1, 900)), random.randrange(1, 400))
        if random.random() < 0.7:
            processor().publish(state)
        if random.random() < 0.6:
            written = records(processor().checkpoint(state))
            kept = len(written) if random.random() < 0.6 else random.randrange(len(written))
            changelog += written[:kept]
            if kept < len(written):
                state = recovered(changelog)
        elif random.random() < 0.2:
            state = recovered(changelog)
    assert rows(state) == TRUTH


@pytest.mark.parametrize("seed", range(10))
def test_records_of_a_worker_that_woke_up_too_late_lose_the_merge(seed: int) -> None:
    newer, older = recovered([]), recovered([])
    handle(older, 500, 100)
    zombie = records(processor().checkpoint(older))
    handle(newer, 900, 100)
    written = records(processor().checkpoint(newer))
    changelog = written + zombie
    Random(seed).shuffle(changelog)
    state = recovered(changelog)
    assert state.offset == 900
    handle(state, len(LOG), 250)
    assert rows(state) == TRUTH


def test_a_checkpoint_during_the_replay_keeps_the_fence_of_a_pane_that_is_ahead() -> None:
    state = recovered([])
    handle(state, 1_000, 100)
    ahead = records(processor().checkpoint(state))[:-1]  # the crash took the marker
    state = recovered(ahead)
    assert state.offset == 0
    handle(state, 200, 100)
    again = recovered(ahead + records(processor().checkpoint(state)))
    assert again.offset == 200
    assert set(again.fences.values()) == {999}
    handle(again, len(LOG), 100)
    assert rows(again) == TRUTH


def test_what_is_published_last_of_a_window_is_its_row() -> None:
    state = recovered([])
    published: dict[bytes | None, bytes | None] = {}
    for end in range(500, len(LOG) + 500, 500):
        handle(state, min(end, len(LOG)), 100)
        published |= {output.key: output.value for output in processor().publish(state)}
    assert {job.window_of(key): value for key, value in published.items() if key} == {
        window: str(row).replace(" ", "").encode() for window, row in TRUTH.items()
    }
    assert processor().publish(state) == []


def test_after_a_crash_every_recovered_window_is_published_once_more() -> None:
    state = recovered([])
    handle(state, 1_000, 100)
    processor().publish(state)
    back = recovered(records(processor().checkpoint(state)))
    assert len(processor().publish(back)) == len(state.panes)
    assert MARKER not in {key for key, _ in processor().checkpoint(back).panes}
