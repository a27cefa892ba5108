"""The loop of a worker's threads."""

from __future__ import annotations

import asyncio

import pytest

from stream_app.engine import event_loop


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def failing() -> None:
    raise LookupError("work")


def test_work_runs_on_uvloop_and_the_loop_is_closed_behind_it() -> None:
    uvloop = pytest.importorskip("uvloop", reason="there is no uvloop on Windows")
    loop = event_loop.run(running_loop())
    assert isinstance(loop, uvloop.Loop)
    assert loop.is_closed()


def test_without_uvloop_work_runs_on_pythons_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "uvloop", None)
    loop = event_loop.run(running_loop())
    assert isinstance(loop, asyncio.BaseEventLoop)
    assert loop.is_closed()


def test_what_the_work_raises_comes_out() -> None:
    with pytest.raises(LookupError, match="work"):
        event_loop.run(failing())
