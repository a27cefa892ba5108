"""``python -m tests.faults [NAME…]``: real faults, and the table of what they did."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.run import play_all
from tests.faults.scene import Outcome
from tests.faults.table import cells, line, not_played, recalled, remember, write_page


def main() -> int:
    """0 when every case ended as it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases to play; none: all")
    parser.add_argument("--quick", action="store_true", help="one case of each kind and each fault once, as CI does")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--results", type=Path, help="file that keeps rows, so that a page can be made from several runs")
    parser.add_argument("--page", type=Path, help="file for the table")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    unknown = set(given.names) - CASES.keys()
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}; --list says which there are")
    chosen = [CASES[name] for name in given.names or CASES if CASES[name].quick or not given.quick]
    if given.list:
        for case in chosen:
            sys.stdout.write(f"{case.name:28} {case.number:6} {case.kind:12} {case.fault}\n")
        return 0

    def say(outcome: Outcome) -> None:
        sys.stdout.write(line(outcome) + "\n")
        sys.stdout.flush()
        if given.results:
            remember(outcome, given.results)

    outcomes = asyncio.run(play_all(chosen, say, quick=given.quick))
    if given.page:
        rows = {**(recalled(given.results) if given.results else {}), **{outcome.case.name: cells(outcome) for outcome in outcomes}}
        write_page([rows.get(name) or not_played(case) for name, case in CASES.items()], given.page)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    sys.stdout.write(f"{len(outcomes)} cases, {len(failed)} not as they must be\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
