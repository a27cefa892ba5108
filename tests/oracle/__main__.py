"""``python -m tests.oracle run|mutations``: the pipeline's numbers against the truth."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tests.oracle.harness import Plan, Result, run
from tests.oracle.in_memory import run_in_memory


def main() -> int:
    """0 when nothing differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="one data set through real Kafka and workers, compared with the truth")
    one.add_argument("--data", choices=("uci498", "boston311", "simulated"), required=True)
    one.add_argument("--workers", type=int, default=1)
    one.add_argument("--order", choices=("time", "shuffled", "resolutions_first"), default="time")
    one.add_argument("--kills", type=int, default=0)
    one.add_argument("--events", type=int, default=500_000)
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--capture", type=Path, help="folder for the panes and the truth of this run, for `mutations`")
    one.add_argument("--keep", type=Path, help="folder for logs, input and published rows, kept")
    one.add_argument("--in-memory", action="store_true", help="no broker and no workers: the processors in this process")
    mutants = commands.add_parser("mutations", help="does every changed formula make the comparison fail?")
    mutants.add_argument("captures", type=Path, nargs="+", help="folders written by `run --capture`")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every retry while topics are new
    if given.command == "mutations":
        from tests.oracle.mutations import report

        return report(given.captures)
    plan = Plan(**{name: value for name, value in vars(given).items() if name not in {"command", "in_memory"}})
    return show(run_in_memory(plan) if given.in_memory else run(plan))


def show(result: Result) -> int:
    """Print the table of one run; 1 when anything differs."""
    plan, found = result.plan, result.comparison
    total = sum(found.by_kpi.values())
    timing = "  ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    sys.stdout.write(
        f"{plan.data}  workers {plan.workers}  order {plan.order}  kills {result.kills}\n"
        f"  rows compared {found.rows}   differences {total}   {timing}   exit codes {result.exit_codes}\n"
        f"  records against their schemas {result.validation.records}   invalid {result.validation.invalid}\n"
    )
    sys.stdout.writelines(f"    {fault}\n" for fault in result.validation.faults)
    for kpi, count in found.by_kpi.items():
        sys.stdout.write(f"  {count:8} {kpi}\n")
    for difference in found.differences:
        sys.stdout.write(f"    {difference}\n")
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
