"""Ending asynchronous work by a signal."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from stream_app.feeds.stopping import run_stoppable


def test_sigterm_lets_the_work_clean_up_and_then_interrupts() -> None:
    cleaned_up = False

    async def work() -> None:
        nonlocal cleaned_up
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up = True

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run_stoppable(work())
    assert cleaned_up
    assert signal.getsignal(signal.SIGTERM) == before


def test_result_comes_back_when_nobody_interrupts() -> None:
    assert run_stoppable(asyncio.sleep(0, "done")) == "done"
