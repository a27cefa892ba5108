"""The peers' table: who is in it with what, also when it could not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.peers.report import PAGE, Entry, table, update_page
from bench.peers.roster import ROSTER, Contender
from bench.peers.running import Outcome
from bench.peers.verdict import Verdict
from bench.whole_job import Run

MACHINE = dict.fromkeys(("cpu", "cores", "memory", "python", "kafka", "aiokafka", "system"), "?")
ALL = Verdict(expected=2, right=2, wrong=0, missing=0, open=0, extra=0, events=20, counted=20)
SOME = Verdict(expected=2, right=1, wrong=1, missing=0, open=0, extra=0, events=20, counted=30)


def outcome(seconds: float, verdict: Verdict = ALL) -> Outcome:
    return Outcome(Run(events=1_000_000, seconds=seconds, cpu_seconds=3.0, peak_mib=80.0), verdict)


def floor(*seconds: float) -> Entry:
    return Entry(Contender("floor", "Floor", peer=False, survives="no"), [outcome(taken) for taken in seconds or (2.0,)])


def rows(*entries: Entry) -> list[str]:
    return [line for line in table(entries, MACHINE).splitlines() if line.startswith("| ")][1:]


def test_a_row_has_medians_ranges_and_the_share_of_the_floor() -> None:
    entry = Entry(Contender("x", "X"), [outcome(4.0), outcome(5.0), outcome(2.5)], after_crash=ALL)
    assert rows(floor(2.0, 2.0, 2.0), entry)[1] == (
        "| X | 250,000 (200,000 – 400,000) | 0.500 | 3.0 (3.0 – 3.0) | 80 (80 – 80) MiB | all | yes, difference 0 |"
    )


def test_the_share_is_that_of_the_same_round_as_a_busy_neighbour_slows_both_down() -> None:
    entry = Entry(Contender("x", "X"), [outcome(4.0), outcome(20.0), outcome(4.0)])
    assert entry.share_of(floor(2.0, 10.0, 2.0)) == 0.5


def test_a_contender_that_could_not_run_is_named_with_the_reason() -> None:
    assert rows(floor(), Entry(Contender("x", "X"), failed="cannot be installed: no wheel")) == [
        rows(floor())[0],
        "| X | not run: cannot be installed: no wheel | | | | | |",
    ]


def test_the_worst_run_decides_whether_windows_are_right() -> None:
    assert Entry(Contender("x", "X"), [outcome(1.0), outcome(1.0, SOME), outcome(1.0)]).windows == "1 of 2"


def test_a_smaller_share_is_said() -> None:
    assert rows(Entry(Contender("x", "X", events=20_000), [outcome(1.0)]))[0].startswith("| X (20,000 events only) |")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Entry(Contender("x", "X", survives="no")), "no"),
        (Entry(Contender("x", "X")), "not tried"),
        (Entry(Contender("x", "X"), after_crash=SOME), "differs: 1 of 2 windows right, 30 events counted of 20"),
        (Entry(Contender("x", "X"), crash_failed="did not go on: ended with 1"), "did not go on: ended with 1"),
    ],
)
def test_what_is_said_of_the_state_after_a_crash(entry: Entry, said: str) -> None:
    assert entry.survival == said


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- PEERS begin: … -->\nold\n<!-- PEERS end -->\nafter\n")
    update_page("new\n", page)
    assert page.read_text() == "before\n<!-- PEERS begin: written by `python -m bench.peers --update` -->\nnew\n<!-- PEERS end -->\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="no block PEERS"):
        update_page("new\n", page)


def test_the_page_has_a_place_for_the_table() -> None:
    assert "<!-- PEERS begin" in PAGE.read_text()


def test_every_contender_has_its_program_and_every_peer_its_pinned_requirements() -> None:
    bench = PAGE.parents[2] / "bench/peers"
    for contender in ROSTER:
        assert (bench / "contenders" / f"{contender.name}.py").exists()
        assert (bench / "requirements" / f"{contender.name}.txt").exists() is contender.peer
