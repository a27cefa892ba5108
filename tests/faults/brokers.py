"""Brokers that die, stand still, are absent, are lost for good, or have no room left."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from stream_app.brokers.kafka import KafkaBroker, KafkaCluster
from tests.faults.scene import Scene
from tests.faults.waiting import until


async def killed(scene: Scene) -> str:
    """SIGKILL and restart under load, three times."""
    broker = _broker(scene)
    longest = 0.0
    for _ in range(scene.rounds(3)):
        await scene.ready()
        await scene.figures_move()
        await asyncio.to_thread(broker.kill)
        scene.fault()
        await asyncio.to_thread(broker.restart)
        longest = max(longest, await scene.figures_move())
    return f"new figures at most {longest:.1f} s after the broker was back"


async def paused(scene: Scene) -> str:
    """SIGSTOP for 30 s."""
    broker = _broker(scene)
    await scene.ready()
    await scene.figures_move()
    broker.pause()
    scene.fault()
    await asyncio.sleep(30)
    broker.resume()
    return f"new figures {await scene.figures_move():.1f} s after it went on"


async def absent(scene: Scene) -> str:
    """Workers are started while there is no broker."""
    broker = _broker(scene)
    await asyncio.to_thread(broker.stop)
    scene.fault()
    impatient, *workers = scene.hire(scene.case.workers + 1)
    for worker in (impatient, *workers):
        await worker.says("no answer from the Kafka broker")
    await impatient.leave()
    await asyncio.sleep(5)
    scene.crew.check()
    await asyncio.to_thread(broker.start)
    began = time.monotonic()
    scene.begin_load()
    await scene.ready()
    return f"they say so and wait, SIGTERM ends them with 0; ready {time.monotonic() - began:.1f} s after it came"


async def one_of_three_lost(scene: Scene) -> str:
    """Each node of a cluster is killed in turn and comes back after 10 s; two of three are always there."""
    cluster = scene.stage.broker
    assert isinstance(cluster, KafkaCluster)
    longest = 0.0
    for node in cluster.nodes:
        await scene.ready()
        await scene.figures_move()
        await asyncio.to_thread(node.kill)
        scene.fault()
        longest = max(longest, await scene.figures_move())
        await asyncio.sleep(10)
        await asyncio.to_thread(node.start)
        await asyncio.sleep(5)
    return f"new figures at most {longest:.1f} s after the loss"


async def disk_full(scene: Scene) -> str:
    """No room left on the broker's disk: the broker ends itself; room is made, it is started again."""
    disk, broker = scene.stage.disk, _broker(scene)
    assert disk is not None
    await scene.ready()
    await scene.figures_move()
    ballast = disk / "ballast"
    await asyncio.to_thread(_fill, ballast)
    scene.fault()
    await until(lambda: not broker.running, 60)
    await asyncio.sleep(3)
    scene.crew.check()
    ballast.unlink()
    await asyncio.to_thread(broker.restart)
    return f"Kafka ends itself; new figures {await scene.figures_move():.1f} s after it was started with room"


def _fill(ballast: Path) -> None:
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
                file.flush()
        except OSError:
            pass


def _broker(scene: Scene) -> KafkaBroker:
    assert isinstance(scene.stage.broker, KafkaBroker)
    return scene.stage.broker
