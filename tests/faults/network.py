"""A network that is cut, stalls, is slow, forgets connections or has little room."""

from __future__ import annotations

import asyncio

from tests.faults.scene import Scene
from tests.support.proxy import Proxy

MEBIBYTE = 2**20


async def cut(scene: Scene) -> str:
    """No connection for 3, 6 and 12 s; workers and senders alike."""
    proxy, longest = _proxy(scene), 0.0
    for seconds in (3, 6, 12)[-scene.rounds(3) :]:
        await scene.ready()
        await scene.figures_move()
        proxy.cut()
        scene.fault()
        await asyncio.sleep(seconds)
        proxy.mend()
        longest = max(longest, await scene.figures_move())
    return f"3, 6 and 12 s; new figures at most {longest:.1f} s after"


async def stall(scene: Scene) -> str:
    """Connections stay open and nothing comes through: 4 s, and 15 s, which is past the session."""
    proxy, longest = _proxy(scene), 0.0
    for seconds in (4, 15):
        await scene.ready()
        await scene.figures_move()
        proxy.stall()
        scene.fault()
        await asyncio.sleep(seconds)
        proxy.go_on()
        longest = max(longest, await scene.figures_move())
    return f"4 and 15 s; new figures at most {longest:.1f} s after"


async def latency(scene: Scene) -> str:
    """150 ms each way."""
    proxy = _proxy(scene)
    await scene.ready()
    proxy.latency = 0.15
    scene.fault()
    await scene.figures_move()
    scene.standstill = 0.0
    await asyncio.sleep(20)
    standstill = scene.standstill
    proxy.latency = 0.0
    return f"0.3 s of round trip for 20 s; new figures every {standstill:.1f} s or sooner"


async def reset(scene: Scene) -> str:
    """Every connection reset, ten times."""
    proxy = _proxy(scene)
    await scene.ready()
    for _ in range(10):
        await asyncio.sleep(scene.chance.uniform(0.5, 2.5))
        proxy.reset()
        scene.fault()
    return f"{proxy.connections_made} connections made"


async def slow_output(scene: Scene) -> str:
    """The whole load at once while every connection carries 150 KB/s: memory stays bounded, Intake waits."""
    proxy = _proxy(scene)
    await scene.ready()
    await scene.figures_move()
    scene.crew.check()
    before = scene.crew.peak_bytes
    proxy.bytes_per_second = 150_000
    scene.fault()
    scene.load.hurry()
    await asyncio.sleep(30)
    scene.crew.check()
    after = scene.crew.peak_bytes
    proxy.bytes_per_second = None
    if after - before > 200 * MEBIBYTE:
        raise AssertionError(f"memory went from {before / MEBIBYTE:.0f} to {after / MEBIBYTE:.0f} MB")
    return f"peak memory {before / MEBIBYTE:.0f} MB before, {after / MEBIBYTE:.0f} MB after 30 s of it"


def _proxy(scene: Scene) -> Proxy:
    assert scene.stage.proxy is not None
    return scene.stage.proxy
