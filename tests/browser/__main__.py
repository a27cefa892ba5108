"""``python -m tests.browser URL FILE.png``: a picture of the board as it is, such as ``docs/board.png``."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tests.browser.chromium import chromium, chromium_or_skip


async def picture(url: str, file: Path, width: int, height: int, seconds: float) -> None:
    """Open the page, give it time to fill, keep what it shows."""
    async with chromium(chromium_or_skip()) as new_page:
        page = await new_page()
        await page.open(url, width, height)
        await asyncio.sleep(seconds)
        await page.screenshot(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    asyncio.run(picture(given.url, given.file, given.width, given.height, given.seconds))
