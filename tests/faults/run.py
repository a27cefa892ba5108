"""Playing cases one after the other."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.faults.scene import Case, Outcome, Scene, keep_directory
from tests.faults.stage import NotHereError, Stages

NOT_RUN = "not run: "


async def play_all(cases: Iterable[Case], say: Callable[[Outcome], object], *, quick: bool) -> list[Outcome]:
    """Play each; whatever goes wrong in one is its outcome."""
    stages = Stages()
    outcomes = []
    try:
        for case in cases:
            outcomes.append(await play(case, stages, quick=quick))
            say(outcomes[-1])
    finally:
        stages.close()
    return outcomes


async def play(case: Case, stages: Stages, *, quick: bool) -> Outcome:
    """One case on its stage, in a directory of its own. ``quick``: half the load, each fault once."""
    keep = keep_directory()
    directory = keep / case.name if keep else Path(tempfile.mkdtemp(prefix="deskpulse-faults-"))
    directory.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    scene: Scene | None = None
    try:
        async with stages.open(case.stage) as stage:
            scene = Scene(case, stage, directory, quick=quick)
            return await scene.play()
    except NotHereError as error:
        return Outcome(case, 0, 0.0, None, 0, 0.0, f"{NOT_RUN}{error}", [])
    except BaseExceptionGroup as group:
        return _failed(case, scene, began, group.exceptions[0])
    except Exception as error:  # the next case must run
        return _failed(case, scene, began, error)
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)


def _failed(case: Case, scene: Scene | None, began: float, error: BaseException) -> Outcome:
    where = "".join(traceback.format_exception(error)[-3:])
    return Outcome(case, scene.faults if scene else 0, time.monotonic() - began, None, 0, 0.0, "", [f"{error!r}\n{error}\n{where}"])
