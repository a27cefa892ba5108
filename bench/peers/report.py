"""The table of the comparison, and its place in the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.peers.roster import Contender
from bench.peers.running import Outcome
from bench.peers.verdict import Verdict
from bench.report import ROOT, spread

PAGE = ROOT / "docs/reference/performance.md"
BLOCK = re.compile(r"<!-- PEERS begin.*?<!-- PEERS end -->", re.DOTALL)
HEADINGS = (
    "On the same job, one run of `make bench-peers`",
    *("Events/s", "of the floor", "CPU-s per million", "Peak memory", "Windows right", "State after SIGKILL"),
)
MARKED = "<!-- PEERS begin: written by `python -m bench.peers --update` -->\n{}<!-- PEERS end -->"


@dataclass
class Entry:
    """What is known of one contender; ``failed``: why it has no figures, or no more of them."""

    contender: Contender
    outcomes: list[Outcome] = field(default_factory=list)
    after_crash: Verdict | None = None
    failed: str = ""
    crash_failed: str = ""

    def share_of(self, floor: Entry) -> float:
        """Median of the ratios to the floor of the same round: a busy neighbour slows both down."""
        return median(own.run.rate / theirs.run.rate for own, theirs in zip(self.outcomes, floor.outcomes, strict=False))

    @property
    def survival(self) -> str:
        """What became of its state in a crash."""
        if self.contender.survives:
            return self.contender.survives
        if self.after_crash is None:
            return self.crash_failed or "not tried"
        if self.after_crash.all_right or self.after_crash.closed_right:
            return "yes, difference 0"
        return f"differs: {self.after_crash} windows right, {self.after_crash.counted:,} events counted of {self.after_crash.events:,}"

    @property
    def recovers(self) -> bool:
        """Whether it went on exactly after a crash."""
        return self.after_crash is not None and (self.after_crash.all_right or self.after_crash.closed_right)

    @property
    def windows(self) -> str:
        """The worst of the runs."""
        return str(min((outcome.verdict for outcome in self.outcomes), key=lambda verdict: verdict.right))


def table(entries: Sequence[Entry], on: Mapping[str, str]) -> str:
    """Markdown: a row for each, and the machine below them."""
    floor = next((entry for entry in entries if entry.contender.name == "floor" and entry.outcomes), None)
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|" + "---|" * len(HEADINGS),
    ]
    lines += [_row(entry, floor) for entry in entries]
    lines += ["", _below(entries, on)]
    return "\n".join(lines) + "\n"


def _row(entry: Entry, floor: Entry | None) -> str:
    title = entry.contender.title
    if not entry.outcomes:
        return f"| {title} | not run: {entry.failed} | | | | | |"
    runs = [outcome.run for outcome in entry.outcomes]
    share = "" if floor is None else f"{entry.share_of(floor):.3f}"
    if entry.contender.events is not None:
        title += f" ({entry.contender.events:,} events only)"
    cells = (
        title,
        spread([run.rate for run in runs], ",.0f"),
        share,
        spread([run.cpu_per_million for run in runs], ".1f"),
        f"{spread([run.peak_mib for run in runs], ',.0f')} MiB",
        entry.windows,
        entry.survival,
    )
    return f"| {' | '.join(cells)} |"


def _below(entries: Sequence[Entry], on: Mapping[str, str]) -> str:
    measured = [entry for entry in entries if entry.outcomes]
    runs = max((len(entry.outcomes) for entry in measured), default=0)
    events = max((outcome.run.events for entry in measured for outcome in entry.outcomes), default=0)
    counted = f"{runs} interleaved runs, medians (ranges)" if runs > 1 else "1 run"
    return (
        f"{events:,} events of 181 bytes, 4 partitions, {counted}. {on['cpu']}, {on['cores']} cores shared with the broker, "
        f"{on['memory']}; Python {on['python']}, Apache Kafka {on['kafka']}, aiokafka {on['aiokafka']}, {on['system']}; "
        "peers as pinned in `bench/peers/requirements`."
    )


def update_page(text: str, page: Path = PAGE) -> None:
    """Replace the marked block. Raises ``ValueError`` when the page has none."""
    content = page.read_text(encoding="utf-8")
    found = BLOCK.search(content)
    if found is None:
        raise ValueError(f"{page} has no block PEERS")
    page.write_text(content[: found.start()] + MARKED.format(text) + content[found.end() :], encoding="utf-8")
