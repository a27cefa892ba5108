"""The board's web server: who gets in, what the API says, what the event stream sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from stream_app.board.access import BoardRefusedError
from stream_app.board.feed import FeedBatch
from stream_app.board.options import BoardOptions
from stream_app.board.server import STREAMS, create_board
from tests.browser.board_feed import FakeFeed, busy_afternoon, kpi, watermark
from tests.browser.board_server import running, serving
from tests.support.waiting import eventually_async

TOKEN = "correct-horse-battery"


class Events:
    """A client of the event stream: the frames it has received, one by one."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, name: str | None = None) -> dict[str, Any]:
        """The next frame (of this name), with its ``id``."""
        async with asyncio.timeout(10):
            while True:
                frame: dict[str, Any] = {}
                while line := (await self.response.content.readline()).decode().rstrip("\n"):
                    field, _, text = line.partition(": ")
                    frame[field] = text
                if "data" in frame and name in (None, frame["event"]):
                    return {"event": frame["event"], "id": frame["id"], **orjson.loads(frame["data"])}


@asynccontextmanager
async def listening(url: str, query: str = "", **headers: str) -> AsyncIterator[Events]:
    async with (
        aiohttp.ClientSession(read_bufsize=2**24) as http,
        http.get(f"{url}/events{query}", headers={name.replace("_", "-"): value for name, value in headers.items()}) as response,
    ):
        assert response.status == 200
        yield Events(response)


async def get(url: str, **options: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False, **options) as response:
        return response.status, await response.text()


async def test_a_newcomer_gets_a_snapshot_and_then_what_changes() -> None:
    feed = FakeFeed()
    feed.send(kpi("opened", 7, "30m"), kpi("closed", 3, "30m"), watermark())
    async with serving(feed) as url, listening(url) as events:
        snapshot = await events.next()
        while not snapshot["rows"]:  # the first frame may come before the feed
            snapshot = await events.next()
        assert {row["kpi"]: row["value"] for row in snapshot["rows"]} == {"opened": 7, "closed": 3}
        feed.send(kpi("opened", 8, "30m"))
        delta = await events.next("delta")
        assert [(row["kpi"], row["value"]) for row in delta["rows"]] == [("opened", 8)]
        assert delta["seq"] == delta["from"] + 1


async def test_changes_are_sent_at_most_once_per_frame() -> None:
    feed = FakeFeed()
    feed.send(watermark())
    async with serving(feed, frame_seconds=0.3) as url, listening(url) as events:
        await eventually_async(lambda: _caught_up(url))
        seq = (await events.next())["seq"]
        for number in range(100):
            feed.send(kpi("opened", number, "30m"))
            await asyncio.sleep(0)
        seen = [await events.next("delta")]
        while not any(row["value"] == 99 for row in seen[-1]["rows"]):
            seen.append(await events.next("delta"))
        assert len(seen) <= 3
        assert seen[-1]["seq"] <= seq + 3


async def test_a_client_that_comes_back_gets_only_what_it_missed() -> None:
    feed = FakeFeed()
    feed.send(kpi("opened", 7, "30m"), kpi("closed", 3, "30m"), watermark())
    async with serving(feed) as url:
        await eventually_async(lambda: _caught_up(url))
        async with listening(url) as events:
            last = (await events.next("snapshot"))["id"]
        feed.send(kpi("opened", 8, "30m"))
        async with listening(url, Last_Event_ID=last) as events:
            frame = await events.next()
            assert frame["event"] == "delta"
            assert [row["value"] for row in frame["rows"] if row["kpi"] != "closed"] == [8]


@pytest.mark.parametrize("last", ["0badc0de-3", "nonsense", "-", "BOOT-999999", "BOOT-९", "BOOT-" + "9" * 400])
async def test_a_client_with_a_gap_gets_a_whole_snapshot(last: str) -> None:
    feed = FakeFeed()
    feed.send(kpi("opened", 7, "30m"), watermark())
    async with serving(feed) as url:
        await eventually_async(lambda: _caught_up(url))
        async with listening(url) as events:
            boot = (await events.next("snapshot"))["boot"]
        async with aiohttp.ClientSession() as http, http.get(f"{url}/events", params={"last": last.replace("BOOT", boot)}) as response:
            assert (await Events(response).next())["event"] == "snapshot"


async def test_a_quiet_stream_says_that_it_is_alive_and_how_old_the_numbers_are() -> None:
    feed = FakeFeed()
    feed.send(watermark())
    async with serving(feed, beat_seconds=0.1) as url, listening(url) as events:
        beats = [await events.next("beat") for _ in range(4)]
        assert beats[-1]["pipeline"]["heard_ago_ms"] > beats[1]["pipeline"]["heard_ago_ms"]


async def test_no_number_is_shown_before_everything_was_read() -> None:
    feed = FakeFeed()
    feed.report(FeedBatch([kpi("opened", 7, "30m"), watermark()], caught_up=False))
    async with serving(feed) as url, listening(url) as events:
        assert (await events.next("snapshot"))["rows"] == []
        assert (await get(f"{url}/healthz"))[0] == 503
        assert orjson.loads((await get(f"{url}/api/kpis"))[1])["rows"] == []
        feed.report(FeedBatch())
        assert [row["value"] for row in (await events.next("delta"))["rows"]] == [7]
        assert (await get(f"{url}/healthz"))[0] == 200


async def test_topics_made_anew_start_the_board_anew() -> None:
    feed = FakeFeed()
    feed.send(kpi("opened", 7, "30m"), watermark())
    async with serving(feed) as url, listening(url) as events:
        first = await events.next("snapshot")
        feed.report(FeedBatch([kpi("opened", 1, "30m", window_end=1)], reset=True))
        again = await events.next("snapshot")
        assert again["boot"] != first["boot"]
        await eventually_async(lambda: _shows(url, "opened", 1))


async def test_two_hundred_clients_that_read_nothing_hold_no_memory_and_are_dropped() -> None:
    """Each asks for the stream and never reads; frames of 250 kB would fill any queue there were."""
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with running(feed, write_timeout_seconds=0.5, frame_seconds=0.02, beat_seconds=5) as (app, url):
        host, port = url.removeprefix("http://").split(":")
        await eventually_async(lambda: _caught_up(url))
        streams = app[STREAMS]
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(200):
                client = await asyncio.to_thread(_deaf_client, host, int(port))
                stack.callback(client.close)
            await eventually_async(lambda: _true(streams.connected == 200))
            healthy = await stack.enter_async_context(listening(url))
            frame = await healthy.next("snapshot")
            for number in range(200):
                feed.send(*_bulk(number))
                frame = await healthy.next("delta")
                if streams.dropped == 200:
                    break
            assert streams.dropped == 200
            assert streams.connected == 1
            assert frame["rows"]


async def test_clients_beyond_the_limit_are_turned_away() -> None:
    async with serving(FakeFeed(), clients=1) as url, listening(url) as events:
        await events.next()
        assert (await get(f"{url}/events"))[0] == 503


async def test_a_group_sees_its_own_rows_only() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url, listening(url, "?group=queue:billing") as events:
        snapshot = await events.next("snapshot")
        while not snapshot["rows"]:
            snapshot = await events.next()
        assert {row["group"]["queue"] for row in snapshot["rows"]} == {"billing"}
        assert {item["queue"] for item in snapshot["next_to_breach"]} == {"billing"}
        assert (await get(f"{url}/events?group=colour:red"))[0] == 400


async def test_the_api_narrows_rows_by_kpi_and_window() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url:
        await eventually_async(lambda: _caught_up(url))
        rows = orjson.loads((await get(f"{url}/api/kpis?kpi=service_level&window=today"))[1])["rows"]
        assert [(row["window"], row["denominator"]) for row in rows] == [("today", 3580)]
        sla = orjson.loads((await get(f"{url}/api/sla"))[1])
        assert len(sla["breaches"]) == 5
        assert sla["next_to_breach"][0]["case_id"] == "C-104233"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "board.example.com", "::"])
def test_an_open_address_without_a_token_is_refused_in_plain_words(host: str) -> None:
    with pytest.raises(BoardRefusedError, match="--token-file"):
        create_board(BoardOptions(host=host), FakeFeed())


def test_a_short_token_is_refused() -> None:
    with pytest.raises(BoardRefusedError, match="16 characters"):
        create_board(BoardOptions(host="0.0.0.0", token="short"), FakeFeed())


async def test_with_a_token_nothing_is_served_without_it() -> None:
    async with serving(FakeFeed(), token=TOKEN) as url:
        for path in ("/", "/api/snapshot", "/api/kpis", "/api/sla", "/events", "/static/board.js"):
            assert (await get(f"{url}{path}"))[0] == 401
            assert (await get(f"{url}{path}", headers={"Authorization": "Bearer wrong"}))[0] == 401
        assert (await get(f"{url}/api/snapshot", headers={"Authorization": f"Bearer {TOKEN}"}))[0] == 200


async def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address() -> None:
    async with serving(FakeFeed(), token=TOKEN) as url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(f"{url}/?theme=light&token={TOKEN}", allow_redirects=False) as response:
            assert response.status == 302
            assert response.headers["Location"] == "/?theme=light"
            cookie = response.headers["Set-Cookie"]
            assert TOKEN not in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
        async with http.get(f"{url}/") as response:
            assert response.status == 200


async def test_the_cookie_outlives_a_restart_of_the_server() -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        async with serving(FakeFeed(), token=TOKEN) as url, http.get(f"{url}/?token={TOKEN}") as response:
            assert response.status == 200
        async with serving(FakeFeed(), token=TOKEN) as url, http.get(f"{url}/") as response:
            assert response.status == 200


async def test_another_name_for_this_machine_is_not_answered_without_a_token() -> None:
    """DNS rebinding: a foreign page points its own name at 127.0.0.1."""
    async with serving(FakeFeed()) as url:
        assert (await get(f"{url}/api/snapshot", headers={"Host": "evil.example:80"}))[0] == 403
        assert (await get(f"{url}/api/snapshot", headers={"Host": "localhost:8088"}))[0] == 200


async def test_every_answer_carries_the_security_headers() -> None:
    async with serving(FakeFeed()) as url, aiohttp.ClientSession() as http:
        for path in ("/", "/events", "/api/snapshot", "/missing", "/static/board.css"):
            async with http.get(f"{url}{path}") as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"


def _bulk(number: int) -> list[Any]:
    """About 250 kB that change with every frame."""
    return [kpi("opened", number, "30m", {"route": f"{route}-{'r' * 5000}"}) for route in range(50)]


def _deaf_client(host: str, port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((host, port))
    client.sendall(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return client


async def _caught_up(url: str) -> bool:
    return (await get(f"{url}/healthz"))[0] == 200


async def _shows(url: str, name: str, value: float) -> bool:
    rows = orjson.loads((await get(f"{url}/api/kpis?kpi={name}"))[1])["rows"]
    return [row["value"] for row in rows] == [value]


async def _true(answer: bool) -> bool:
    return answer
