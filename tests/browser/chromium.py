"""Headless Chromium over its own DevTools protocol: no driver, no download, one small client."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.requirements import program
from tests.support.waiting import eventually_async

DEADLINE_SECONDS = 20.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def chromium_or_skip() -> str:
    """Path of the browser. Without one a test is skipped, in CI it fails."""
    return os.environ.get("CHROMIUM") or program("chromium", "chromium-browser", "google-chrome")


@dataclass
class Page:
    """One tab. ``problems`` collects console errors, uncaught exceptions and refused loads."""

    socket: aiohttp.ClientWebSocketResponse
    session: str
    replies: dict[int, asyncio.Future[dict[str, Any]]]
    numbers: itertools.count[int]
    problems: list[str] = field(default_factory=list)

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        return await _send(self.socket, self.replies, self.numbers, method, params, self.session)

    async def open(self, url: str, width: int = 1920, height: int = 1080) -> None:
        await self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def evaluate(self, expression: str) -> Any:
        reply = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in reply:
            raise AssertionError(reply["exceptionDetails"])
        return reply["result"].get("value")

    async def text(self, selector: str) -> str:
        """What is written in the first match, spaces as they are in the document."""
        return str(await self.evaluate(f"document.querySelector({selector!r})?.textContent ?? '(no such element)'"))

    async def until(self, expression: str, seconds: float = DEADLINE_SECONDS) -> Any:
        """Wait for a truthy value of a script expression (true for an element) and return it; fails with the page's text after the deadline."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            value = await self.evaluate(f"(found => found instanceof Node || found)({expression})")
            if value:
                return value
            if asyncio.get_running_loop().time() > deadline:
                shown = await self.evaluate("document.body?.innerText")
                raise AssertionError(f"not within {seconds} s: {expression}\n{self.problems}\n{shown}")
            await asyncio.sleep(0.05)

    async def screenshot(self, path: Path) -> None:
        reply = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(reply["data"]))


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Callable[[], Any]]:
    """Start a browser with a profile of its own and end it; gives a coroutine that opens a new tab."""
    profile = Path(tempfile.mkdtemp(prefix="deskpulse-chromium-"))
    process = await asyncio.create_subprocess_exec(
        path, *FLAGS, f"--user-data-dir={profile}", "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        address = await _debugger(profile)
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
            replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
            pages: dict[str, Page] = {}
            numbers = itertools.count(1)
            reader = asyncio.create_task(_read(socket, replies, pages))

            async def new_page() -> Page:
                target = await _send(socket, replies, numbers, "Target.createTarget", {"url": "about:blank"})
                attached = await _send(socket, replies, numbers, "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
                page = pages[attached["sessionId"]] = Page(socket, attached["sessionId"], replies, numbers)
                for domain in ("Page", "Runtime", "Log"):
                    await page.send(f"{domain}.enable")
                return page

            try:
                yield new_page
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)


async def _debugger(profile: Path) -> str:
    """Where the browser listens; it writes that into its profile once it does."""
    written = await eventually_async(
        lambda: asyncio.to_thread(_two_lines, profile / "DevToolsActivePort"), within_seconds=DEADLINE_SECONDS, what="Chromium"
    )
    return f"ws://127.0.0.1:{written[0]}{written[1]}"


def _two_lines(file: Path) -> list[str]:
    lines = file.read_text().splitlines() if file.exists() else []
    return lines[:2] if len(lines) > 1 else []


async def _send(
    socket: aiohttp.ClientWebSocketResponse,
    replies: dict[int, asyncio.Future[dict[str, Any]]],
    numbers: itertools.count[int],
    method: str,
    params: dict[str, Any],
    session: str | None = None,
) -> dict[str, Any]:
    number = next(numbers)
    message = {"id": number, "method": method, "params": params}
    if session is not None:
        message["sessionId"] = session
    replies[number] = asyncio.get_running_loop().create_future()
    await socket.send_json(message)
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await replies[number]


async def _read(
    socket: aiohttp.ClientWebSocketResponse, replies: dict[int, asyncio.Future[dict[str, Any]]], pages: dict[str, Page]
) -> None:
    async for message in socket:
        body = message.json()
        if "id" in body:
            reply = replies.pop(body["id"])
            if "error" in body:
                reply.set_exception(AssertionError(body["error"]))
            else:
                reply.set_result(body["result"])
        elif (page := pages.get(body.get("sessionId", ""))) is not None:
            _note(page, body["method"], body["params"])


def _note(page: Page, method: str, params: dict[str, Any]) -> None:
    if method == "Runtime.exceptionThrown":
        page.problems.append(str(params["exceptionDetails"].get("exception", {}).get("description", params)))
    elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
        page.problems.append(str(params["args"]))
    elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
        page.problems.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
