"""Workers that die, leave, freeze, hang and are told to go."""

from __future__ import annotations

import asyncio
import signal
import time

from stream_app.engine import ExitCode
from tests.faults.crew import Worker
from tests.faults.scene import Scene
from tests.faults.seams import POINTS, Seam
from tests.faults.waiting import until

KILLS = 20
CYCLES = 14


async def kill_at_random(scene: Scene) -> str:
    """SIGKILL at random moments, every fourth time while the worker is still starting or recovering; a new one at once."""
    unready = 0
    for number in range(scene.rounds(KILLS)):
        victim = scene.chance.choice(scene.crew.alive)
        if number % 4 == 3:
            unready += 1
            await asyncio.sleep(scene.chance.uniform(1.0, 4.0))
        else:
            await victim.ready()
            await asyncio.sleep(scene.chance.uniform(0.0, 2.0))
        victim.kill()
        scene.fault()
        scene.hire()
    await scene.ready()
    return f"{unready} of them at starting or recovering"


async def kill_at_points(scene: Scene) -> str:
    """Every named point in turn; the worker dies there by its own hand."""
    for point in POINTS:
        times = 1 if point.startswith("recovered") else scene.chance.randrange(2, 8)
        [worker] = scene.hire(seam=Seam(die_at=point, after=times))
        await worker.ended(-signal.SIGKILL)
        scene.fault()
    scene.hire()
    return f"{len(POINTS)} points"


async def kill_at_points_among_others(scene: Scene) -> str:
    """As above, with two healthy workers beside it that take over."""
    dead = 0
    for point in POINTS:
        [worker] = scene.hire(seam=Seam(die_at=point, after=2 if not point.startswith("recovered") else 1))
        try:
            await worker.ended(-signal.SIGKILL, within=15)
        except TimeoutError:  # it was given no partition where this happens
            worker.kill()
        dead += 1
        scene.fault()
    return f"{dead} points"


async def join_leave_die(scene: Scene) -> str:
    """1 -> 3 -> 1 workers and on, by joining, leaving and dying in turn."""
    longest = 0.0
    running = list(scene.crew.workers)
    for turn in range(4 if scene.quick else CYCLES):
        match turn % 4:
            case 0:
                running += scene.hire(2)
            case 1:
                leaving = running.pop(0)
                await leaving.ready()
                longest = max(longest, await leaving.leave())
            case 2:
                running.pop(0).kill()
            case _:
                await running[0].ready()
        scene.fault()
        await asyncio.sleep(scene.chance.uniform(0.5, 3.0))
        while len(running) > 3:
            running.pop(0).kill()
    return f"leaving took up to {longest:.1f} s"


async def freeze_and_wake(scene: Scene) -> str:
    """Three times: a worker stands still past its session while another takes over; it wakes up; then all die and a fresh one recovers."""
    for _ in range(scene.rounds(3)):
        await scene.ready()
        await scene.figures_move()
        frozen = scene.chance.choice(scene.crew.alive)
        frozen.signal(signal.SIGSTOP)
        scene.fault()
        [successor] = scene.hire()
        await successor.ready()
        await asyncio.sleep(2.0)
        frozen.signal(signal.SIGCONT)
        await asyncio.sleep(2.0)
        for worker in scene.crew.alive:
            worker.kill()
        scene.hire(scene.case.workers)
    await scene.ready()
    return "recovered afresh after each"


async def freeze_to_the_end(scene: Scene) -> str:
    """A worker stands still until another has taken over and published everything. It wakes up, writes what it had in hand, and dies."""
    await scene.ready()
    await scene.share_sent(0.7)
    await scene.figures_move()
    [frozen] = scene.crew.alive
    frozen.signal(signal.SIGSTOP)
    scene.fault()
    scene.hire()
    scene.load.hurry()
    await until(lambda: (scene.watermark or 0) >= scene.outline.final_instant)
    await asyncio.sleep(2.0)
    frozen.signal(signal.SIGCONT)
    await asyncio.sleep(0.3)
    frozen.kill()
    return "nobody has read anything afresh since"


async def hang(scene: Scene) -> str:
    """A handler that never comes back: the watchdog ends its process, the other worker takes over."""
    await scene.ready()
    [hanging] = scene.hire(seam=Seam(hangs_after=6.0))
    began = time.monotonic()
    await hanging.ended(ExitCode.STALLED)
    scene.fault()
    took = time.monotonic() - began
    return f"ended with {int(ExitCode.STALLED)} {took - 6:.0f} s after it hung (stall_timeout 5 s)"


async def hang_alone(scene: Scene) -> str:
    """The same with nobody beside it; it is started again, as a supervisor would."""
    await scene.ready()
    await scene.crew.leave()
    [hanging] = scene.hire(seam=Seam(hangs_after=5.0))
    await hanging.ended(ExitCode.STALLED)
    scene.fault()
    scene.hire()
    return f"exit {int(ExitCode.STALLED)}, started again"


async def terminate(scene: Scene) -> str:
    """SIGTERM under load, again and again, a new worker each time."""
    longest = 0.0
    for _ in range(scene.rounds(6)):
        worker: Worker = scene.crew.alive[-1]
        await worker.ready()
        await asyncio.sleep(scene.chance.uniform(0.2, 2.0))
        longest = max(longest, await worker.leave())
        scene.fault()
        scene.hire()
    if longest > 10:
        raise TimeoutError(f"a clean stop took {longest:.1f} s")
    return f"exit 0, slowest {longest:.1f} s"


async def downtime(scene: Scene) -> str:
    """No worker for the middle half of the load, past many deadlines; then the backlog."""
    await scene.share_sent(0.25)
    await scene.ready()
    await scene.crew.leave()
    scene.fault()
    began = time.monotonic()
    await scene.share_sent(0.75)
    down = time.monotonic() - began
    scene.hire(scene.case.workers)
    took = await scene.figures_move()
    return f"down for {down:.0f} s (5 days of event time); first figures {took:.1f} s after the start"
