"""The board's page in headless Chromium against the real server: what a person at the wall would see."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.catalogue.registry import BY_ID
from stream_app.board.feed import FeedBatch
from stream_app.board.server import STATIC
from tests.browser.board_feed import NOW, FakeFeed, breached, busy_afternoon, crowded_day, due, kpi, next_to_breach, source, watermark
from tests.browser.board_server import serving
from tests.browser.chromium import Page, chromium, chromium_or_skip

pytestmark = pytest.mark.browser

LIVE = "document.body?.dataset.phase === 'live'"
NOTHING_CUT = """[...document.querySelectorAll('.tile .number, .tile .countdown, .tile .unit, .tile h2')]
    .filter(n => { const r = n.getBoundingClientRect(), t = n.closest('.tile').getBoundingClientRect();
                   return r.width && (r.right > t.right || r.bottom > t.bottom || n.scrollWidth > n.clientWidth + 1 && n.clientWidth); })
    .map(n => n.closest('.tile').id + ' ' + n.textContent)"""
CONTRAST = """(() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (n) => { for (; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] === 255) return c; } };
    const texts = [...document.querySelectorAll('body *')].filter(n => n.offsetParent && [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()));
    return texts.map(n => { const [a, b] = [light(rgb(getComputedStyle(n).color)), light(ground(n))]; return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), n.className + ' ' + n.textContent]; })
        .filter(([ratio]) => ratio < 4.5);
})()"""


COLLISIONS = """(() => {
    const shown = [], wrong = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const owner = node.parentElement;
        if (!node.data.trim() || !owner.checkVisibility() || owner.closest('select, .sr, .loading, noscript')) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const text = range.getBoundingClientRect();
        const name = (owner.closest('.tile')?.id ?? 'head') + ': ' + node.data;
        for (let box = owner; box !== document.body; box = box.parentElement) {
            const style = getComputedStyle(box), edge = box.getBoundingClientRect();
            if (style.overflow !== 'visible' && (text.right > edge.right + 1 || text.left < edge.left - 1 || text.bottom > edge.bottom + 0.2 * text.height))
                wrong.push('cut ' + name);
        }
        if (text.right > innerWidth || text.bottom > innerHeight || text.left < 0) wrong.push('outside ' + name);
        const lines = text.height * 0.2;
        shown.push([text.left, text.top + lines, text.right, text.bottom - lines, name]);
    }
    shown.forEach((a, i) => shown.slice(i + 1).forEach((b) => {
        if (a[0] < b[2] - 0.5 && b[0] < a[2] - 0.5 && a[1] < b[3] && b[1] < a[3]) wrong.push('overlap ' + a[4] + ' / ' + b[4]);
    }));
    return wrong;
})()"""
"""Texts that are cut off by a box around them, leave the screen, or lie on one another."""


@asynccontextmanager
async def page_of(url: str, *, width: int = 1920, height: int = 1080, waiting_for: str = LIVE) -> AsyncIterator[Page]:
    """A fresh browser on this address; nothing may have been complained about in the console."""
    async with chromium(chromium_or_skip()) as new_page:
        page: Page = await new_page()
        await page.open(url, width, height)
        await page.until(waiting_for)
        try:
            yield page
        finally:
            await keep_screenshot(page)
        assert page.problems == []


async def keep_screenshot(page: Page) -> None:
    """A picture per test for a person to look at, where ``DESKPULSE_SCREENSHOTS`` names a folder."""
    folder = os.environ.get("DESKPULSE_SCREENSHOTS")
    if folder:
        name = re.sub(r"\W+", "_", os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].removesuffix(" (call)"))
        await page.screenshot(Path(folder) / f"{name}.png")


def figure(name: str, window: str) -> str:
    """Selector of one figure's number."""
    return f'[data-kpi="{name}"][data-window="{window}"] .number'


def shows(selector: str, text: str) -> str:
    """Script: the element's text is this."""
    return f"document.querySelector({selector!r})?.textContent === {text!r}"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768), (3840, 2160)])
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_busy_board_fits_the_screen_and_can_be_read(width: int, height: int, theme: str) -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed, name="Customer support") as url, page_of(f"{url}/?theme={theme}", width=width, height=height) as page:
        await page.until(shows(figure("service_level", "30m"), "84.3"))
        overflow = await page.evaluate(
            "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]"
        )
        assert overflow == [0, 0]
        assert await page.evaluate(NOTHING_CUT) == []
        assert await page.evaluate(CONTRAST) == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768)])
async def test_large_numbers_and_long_names_neither_overlap_nor_are_cut(width: int, height: int) -> None:
    feed = FakeFeed()
    feed.send(*crowded_day())
    async with (
        serving(feed, name="Customer support", goals={"service_level": 0.8}) as url,
        page_of(url, width=width, height=height) as page,
    ):
        await page.until(shows(figure("net_flow", "30m"), "+99,999"))
        await page.until("document.querySelectorAll('#alerts li').length === 3")
        assert "\n".join(await page.evaluate(COLLISIONS)) == ""


async def test_every_tile_shows_value_unit_window_and_age() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url, page_of(url) as page:
        expected = {
            ("service_level", "30m"): "84.3 %", ("awaiting_response", "now"): "37 cases", ("backlog_unresolved", "now"): "308 cases",
            ("first_reply_p50", "30m"): "3:34 min", ("first_reply_p90", "30m"): "24:40 min", ("first_resolution_p50", "30m"): "2:42 h",
            ("first_resolution_p90", "30m"): "2.2 days", ("speed_of_answer_p90", "30m"): "41 s", ("abandonment_rate", "30m"): "4.3 %",
            ("handle_time_p50", "30m"): "4:47 min", ("fcr", "28d"): "73.1 %", ("fcr_final", "28d"): "72.2 %", ("reopen_rate", "28d"): "4.0 % 28 days",
            ("sla_attainment_resolution", "today"): "87.3 %", ("escalation_rate", "today"): "6.7 % today", ("net_flow", "30m"): "−5 cases",
        }  # fmt: skip
        for (name, window), text in expected.items():
            amount = f'[data-kpi="{name}"][data-window="{window}"] .amount'
            shown = await page.evaluate(f"[...document.querySelector({amount!r}).children].map(n => n.textContent).join(' ')")
            assert (name, shown) == (name, text)
        ages = await page.evaluate("[...document.querySelectorAll('.tile-age')].map(n => n.textContent)")
        assert all(re.search(r"\d+ s\b", age) for age in ages)
        assert await page.text("#tile-surveys tbody tr:first-child td") == "82.0 %78 to 86 · n 412"
        assert "n 24, few" in await page.text("#tile-surveys tbody tr:last-child td")
        assert "cases" in await page.text("#tile-flow [data-kpi=opened] .note")


async def test_what_is_not_known_is_not_available_and_never_zero() -> None:
    feed = FakeFeed()
    feed.send(kpi("opened", None, "30m"), kpi("reopened", 0, "30m"), watermark())
    async with serving(feed) as url, page_of(url) as page:
        await page.until(shows(figure("reopened", "30m"), "0"))
        numbers = await page.evaluate(
            "[...document.querySelectorAll('.tile .number, .tile b')].filter(n => n.offsetParent).map(n => n.textContent)"
        )
        assert set(numbers) == {"N/A", "0"}
        assert numbers.count("0") == 1
        assert await page.text("#tile-next .none") == "N/A"


async def test_the_oldest_wait_counts_up_and_the_countdowns_count_down_between_frames() -> None:
    feed = FakeFeed()
    feed.send(kpi("oldest_waiting", 61, since=NOW - 61_000), next_to_breach(due("C-1", 6), due("C-2", 7200)), watermark())
    oldest = figure("oldest_waiting", "now")
    seconds = f"(([m, s]) => 60 * m + +s)(document.querySelector({oldest!r}).textContent.split(':'))"
    async with serving(feed) as url, page_of(url) as page:
        first = await page.until(f"{seconds} > 60 && {seconds}")
        await page.until(f"{seconds} >= {first + 2}", seconds=5)
        await page.until("document.querySelector('.next li').dataset.state === 'overdue'")
        assert (await page.text(".next li .countdown")).startswith("−0:")
        assert "Overdue" in await page.text(".next li .chip")
        assert await page.text(".next li:nth-child(2) .chip") == ""


async def test_nobody_waiting_is_said_in_words() -> None:
    feed = FakeFeed()
    feed.send(kpi("oldest_waiting", None), kpi("awaiting_response", 0), watermark())
    async with serving(feed) as url, page_of(url) as page:
        await page.until(shows(figure("oldest_waiting", "now"), "none"))
        assert await page.text(figure("awaiting_response", "now")) == "0"


async def test_late_data_is_shown_with_the_name_of_its_source() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon(), source("contacts-2", NOW - 29_000), source("contacts-3", NOW - 45_000), watermark(NOW + 1, 45_000))
    async with serving(feed) as url, page_of(url) as page:
        await page.until("document.querySelector('[data-condition=late]')")
        text = await page.text("[data-condition=late]")
        assert text.startswith("Late data")
        assert "contacts-3 since 14:12:35 (45 s behind)" in text
        assert "contacts-2" not in text
        assert await page.evaluate("document.body.dataset.stale") == "false"
        feed.send(source("contacts-2", NOW), source("contacts-3", NOW), watermark(NOW + 2_000))
        await page.until("!document.querySelector('[data-condition]')")


async def test_a_source_that_was_never_heard_from_is_named() -> None:
    feed = FakeFeed()
    feed.send(source("surveys-0", None), watermark(behind_ms=None))
    async with serving(feed) as url, page_of(url) as page:
        await page.until("document.querySelector('[data-condition=late]')")
        assert "surveys-0, never heard from" in await page.text("[data-condition=late]")
        assert await page.evaluate("document.body.dataset.stale") == "true"
        assert "age unknown" in await page.text(".tile-age")


async def test_numbers_older_than_two_minutes_grey_with_their_age() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon(), watermark(NOW + 1, 112_000))
    async with serving(feed) as url, page_of(url) as page:
        confident = await page.evaluate("getComputedStyle(document.querySelector('#tile-waiting .number')).color")
        await page.until("document.body.dataset.stale === 'true'")
        assert await page.evaluate("getComputedStyle(document.querySelector('#tile-waiting .number')).color") != confident
        assert await page.evaluate("getComputedStyle(document.querySelector('#tile-waiting')).filter") == "grayscale(1)"
        assert "2 min old" in await page.text("#tile-waiting .tile-age")
        assert "Stale" in await page.text("#freshness")


async def test_a_lost_server_is_shown_and_the_page_comes_back_when_it_does() -> None:
    first, second = FakeFeed(), FakeFeed()
    first.send(kpi("opened", 7, "30m"), watermark())
    second.send(kpi("opened", 8, "30m"), watermark(NOW + 5_000))
    async with chromium(chromium_or_skip()) as new_page:
        page: Page = await new_page()
        async with serving(first) as url:
            await page.open(url)
            await page.until(shows(figure("opened", "30m"), "7"))
        await page.until("document.querySelector('[data-condition=disconnected]')")
        assert "Not connected" in await page.text("[data-condition=disconnected]")
        async with serving(second, port=int(url.rpartition(":")[2])):
            await page.until(shows(figure("opened", "30m"), "8"))
            await page.until("!document.querySelector('[data-condition]')")
        assert [problem for problem in page.problems if "ERR_CONNECTION_REFUSED" not in problem and "ERR_INCOMPLETE" not in problem] == []


async def test_a_server_that_has_lost_its_broker_says_so_and_stays_honest() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url, page_of(url) as page:
        feed.report(FeedBatch(connected=False, problem="No connection to the broker."))
        await page.until("document.querySelector('[data-condition=feed]')")
        assert "No connection to the broker." in await page.text("[data-condition=feed]")


async def test_a_pipeline_that_publishes_nothing_more_is_called_quiet() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url, page_of(url) as page:
        await page.until("document.querySelector('[data-condition=quiet]')", seconds=25)
        assert "No new results" in await page.text("[data-condition=quiet]")


async def test_simulated_data_are_called_so_and_real_ones_are_not() -> None:
    feed = FakeFeed()
    feed.send(watermark(simulated=True))
    async with serving(feed) as url, page_of(url) as page:
        await page.until("!document.querySelector('#simulated').hidden")
        assert await page.text("#simulated") == "Simulated data"
        feed.send(watermark(NOW + 1, simulated=False))
        await page.until("document.querySelector('#simulated').hidden")


async def test_names_from_the_data_stay_text() -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    feed = FakeFeed()
    feed.send(
        next_to_breach(due(evil, 60, queue=evil, priority=evil)), breached("C-1", evil), kpi("csat", 0.8, "28d", {"route": evil}, n=40),
        kpi("awaiting_response", 3, group={"queue": evil}), source(evil, NOW - 60_000), watermark(behind_ms=60_000),
    )  # fmt: skip
    async with serving(feed, name=evil) as url, page_of(url) as page:
        await page.until("document.querySelectorAll('.next li').length === 1")
        assert await page.text(".next li b") == evil
        assert evil in await page.text("#conditions")
        assert evil in await page.text("#alerts")
        assert await page.text("#tile-surveys tbody th") == evil
        assert await page.text("#name") == evil
        assert await page.evaluate("document.querySelectorAll('body img, body script').length") == 0
        assert "owned" not in (await page.evaluate("document.title")).replace(evil, "")


async def test_an_exception_gets_colour_icon_and_word_and_only_after_two_evaluations() -> None:
    feed = FakeFeed()
    feed.send(kpi("sla_overdue_resolution", 0), watermark())
    state = "document.querySelector('[data-kpi=sla_overdue]').dataset.state"
    async with serving(feed) as url, page_of(url) as page:
        await page.until(f"{state} === 'normal'")
        assert await page.evaluate("getComputedStyle(document.querySelector('[data-kpi=sla_overdue] .icon')).display") == "none"
        feed.send(kpi("sla_overdue_resolution", 2))
        await page.until(shows("[data-kpi=sla_overdue] .number", "2"))
        assert await page.evaluate(state) == "normal"
        feed.send(watermark(NOW + 1))
        await page.until(f"{state} === 'overdue'")
        assert await page.evaluate("getComputedStyle(document.querySelector('[data-kpi=sla_overdue] .icon')).display") == "block"
        assert "Overdue" in await page.text("[data-kpi=sla_overdue]")


async def test_a_missed_goal_is_said_in_words() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed, goals={"service_level": 0.9, "abandonment_rate": 0.05}) as url, page_of(url) as page:
        feed.send(watermark(NOW + 1))
        await page.until("document.querySelector('[data-kpi=service_level]').dataset.state === 'missed'")
        assert "misses goal 90 %" in await page.text("[data-kpi=service_level] .note")
        assert await page.evaluate("document.querySelector('[data-kpi=abandonment_rate]').dataset.state") == "normal"


async def test_a_group_is_chosen_at_the_desk_and_stays_in_the_address() -> None:
    feed = FakeFeed()
    feed.send(*busy_afternoon())
    async with serving(feed) as url, page_of(url) as page:
        options = await page.until("(o => o.length === 4 && o)([...document.querySelectorAll('#group option')].map(n => n.textContent))")
        assert options == ["All cases", "queue: billing", "queue: orders", "queue: technical"]
        await page.evaluate("(s => { s.selectedIndex = 1; s.dispatchEvent(new Event('change')); })(document.querySelector('#group'))")
        await page.until(f"location.search === '?group=queue%3Abilling' && {LIVE}")
        await page.until(shows(figure("awaiting_response", "now"), "12"))


async def test_a_page_of_a_board_that_has_not_read_everything_waits() -> None:
    feed = FakeFeed()
    feed.report(FeedBatch([kpi("opened", 7, "30m"), watermark()], caught_up=False))
    async with (
        serving(feed) as url,
        page_of(url, waiting_for="document.querySelector('#loading-text').textContent.startsWith('Reading')") as page,
    ):
        assert await page.evaluate("getComputedStyle(document.querySelector('#loading')).display") == "grid"
        feed.report(FeedBatch())
        await page.until(LIVE)


async def test_two_pages_show_the_same_number_within_two_seconds() -> None:
    feed = FakeFeed()
    feed.send(watermark())
    async with serving(feed, frame_seconds=1.0) as url, chromium(chromium_or_skip()) as new_page:
        pages: list[Page] = [await new_page() for _ in range(2)]
        for page in pages:
            await page.open(url)
            await page.until(LIVE)
        feed.send(kpi("opened", 9, "30m"))
        await asyncio.gather(*(page.until(shows(figure("opened", "30m"), "9"), seconds=2) for page in pages))


def test_every_kpi_of_the_layout_is_in_the_catalogue_with_its_window() -> None:
    layout: dict[str, Any] = orjson.loads((STATIC / "layout.json").read_bytes())
    parts = [part for tile in layout["tiles"] for part in _parts(tile)]
    assert len(parts) > 30
    for part in parts:
        windows = layout["live_windows"] if part["window"] == "live" else [part["window"]]
        assert set(windows) <= set(BY_ID[part["kpi"]].windows), part


def _parts(tile: dict[str, Any]) -> list[dict[str, Any]]:
    found = [*tile.get("figures", []), *tile.get("parts", []), *tile.get("details", [])]
    found += [{**column, "window": tile["window"]} for column in tile.get("columns", [])] if tile["kind"] == "surveys" else []
    found += [
        {"kpi": f"sla_{kind}_{metric['id']}", "window": "now"} for metric in tile.get("metrics", []) for kind in ("overdue", "at_risk")
    ]
    return [*found, *([tile["main"]] if "main" in tile else [])]
