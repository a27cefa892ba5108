"""``python -m tests.dashboards docs/dashboards``: a picture of every dashboard's answers, from a live run with simulated traffic."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from stream_app.brokers.kafka import KafkaBroker
from tests.browser.chromium import chromium, chromium_or_skip
from tests.dashboards.asking import FILES, Json, Series, ask, defaults_of, questions, read_dashboard
from tests.dashboards.page import page
from tests.dashboards.scene import scene

WIDTH = 1240
SECONDS_OF_TRAFFIC = 30.0


def pages() -> dict[str, str]:
    """Per dashboard its page, after a while of traffic."""
    with (
        tempfile.TemporaryDirectory(prefix="deskpulse-dashboards-") as directory,
        KafkaBroker() as kafka,
        scene(kafka.bootstrap, "dashboards", Path(directory)) as live,
    ):
        time.sleep(SECONDS_OF_TRAFFIC)
        return {file.stem: answered_page(live.prometheus, read_dashboard(file)) for file in FILES}


def answered_page(prometheus: str, dashboard: Json) -> str:
    """One dashboard as of now."""
    chosen = defaults_of(dashboard)
    answers: dict[int, list[tuple[Json, list[Series]]]] = {}
    for asked in questions(dashboard, chosen):
        answers.setdefault(asked.panel["id"], []).append((asked.target, ask(prometheus, asked)))
    return page(dashboard, answers, chosen)


async def photograph(found: dict[str, str], directory: Path) -> None:
    """One file per page, as high as the page is."""
    async with chromium(chromium_or_skip()) as new_page:
        tab = await new_page()
        for name, text in found.items():
            source = directory / f"{name}.html"
            source.write_text(text, encoding="utf-8")
            await tab.open(source.as_uri(), WIDTH, 400)
            height = await tab.evaluate("document.documentElement.scrollHeight")
            await tab.open(source.as_uri(), WIDTH, height)
            await tab.screenshot(directory / f"{name}.png")
            source.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.dashboards", description=__doc__)
    parser.add_argument("directory", type=Path)
    target: Path = parser.parse_args().directory.absolute()
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(photograph(pages(), target))
