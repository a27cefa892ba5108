"""A bar on standard error for work that reads many records."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_Answer = TypeVar("_Answer")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f} records/s")


async def with_progress(what: str, total: int, work: Callable[[Callable[[int], None]], Coroutine[Any, Any, _Answer]]) -> _Answer:
    """Do the work, which is given a function to tell of each further number of records."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        return await work(lambda records: progress.advance(task, records))
