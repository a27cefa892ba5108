// The page: reads the address, opens the stream, draws with every frame and every second.

import { element, icon, setText } from "./elements.js";
import * as format from "./format.js";
import { health, STALE_AFTER_MS } from "./health.js";
import { Hysteresis } from "./hysteresis.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { buildTiles } from "./tiles.js";

const TICK_MS = 250;
const query = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);
const store = new Store();
const steady = new Hysteresis();

if (query.get("theme") === "light") document.documentElement.dataset.theme = "light";
if (query.has("kiosk")) keepAwake();
start(await (await fetch("/static/layout.json")).json());

function start(layout) {
  const live = layout.live_windows.includes(query.get("window")) ? query.get("window") : layout.live_windows[0];
  const tiles = buildTiles(layout, live);
  byId("tiles").append(...tiles.map((tile) => tile.node));
  let clock = format.makeClock("UTC");
  let syncedAt = performance.now();
  const stream = new Stream(store, query.getAll("group"), (frame) => {
    if (frame) syncedAt = performance.now();
    if (frame === "snapshot") {
      clock = format.makeClock(store.board.zone);
      drawFrame(live);
    } else if (frame === "delta") {
      drawGroups();
    }
    draw(true);
  });

  // The log's clock runs on between frames; every watermark sets it right.
  const logNow = () => {
    const { clock: at, heard_ago_ms: ago } = store.pipeline;
    return at === null || ago === null ? null : at + ago + (performance.now() - syncedAt);
  };

  // States are judged per frame; a tick only moves clocks.
  const draw = (judge) => {
    const now = logNow();
    const found = health(store, stream, now, clock);
    const view = { store, now, dataAge: found.dataAge, aged: found.aged, steady: judge ? steady : { evaluate: (name) => steady.isOn(name) } };
    drawHealth(found, stream, now, clock);
    for (const tile of tiles) {
      tile.render(view);
      tile.renderAge(view);
    }
  };

  byId("group").addEventListener("change", chooseGroup);
  stream.start();
  setInterval(() => draw(false), TICK_MS);
}

function drawFrame(live) {
  document.title = `${store.board.name} · Deskpulse`;
  setText(byId("name"), store.board.name);
  setText(byId("scope"), `last ${format.windowName(live)} · ${store.board.zone}`);
  drawGroups();
}

function drawHealth(found, stream, now, clock) {
  const phase = stream.connected || store.boot ? (store.status.caught_up ? "live" : "loading") : "loading";
  document.body.dataset.phase = phase;
  if (phase === "loading") setText(byId("loading-text"), store.status.problem || "Reading the current figures…");
  document.body.dataset.stale = String(found.stale && phase === "live");
  byId("simulated").hidden = !store.pipeline.simulated;
  setText(byId("clock"), now === null ? "–" : clock.time(now));
  byId("clock").title = now === null ? "" : clock.date(now);
  const trouble = found.stale ? "stale" : found.conditions.length || found.aged ? "late" : "fresh";
  byId("freshness").dataset.trouble = phase === "live" ? trouble : "late";
  setText(byId("freshness"), freshness(found, now, clock));
  drawConditions(found.conditions);
  drawAlerts();
}

function freshness(found, now, clock) {
  const date = now === null ? "" : `${clock.date(now)} · `;
  if (found.dataAge === null) return `${date}age of data unknown`;
  const word = found.dataAge > STALE_AFTER_MS ? "Stale" : found.aged ? "Late" : "Live";
  return `${date}${word}: data ${format.age(found.dataAge)} old`;
}

function drawConditions(conditions) {
  const list = byId("conditions");
  const ids = conditions.map((condition) => condition.id).join(" ");
  if (list.dataset.ids !== ids) {
    list.dataset.ids = ids;
    list.replaceChildren(...conditions.map(({ id, word }) => {
      const node = element("p", "condition", icon("late"), element("b", "", word), element("span"));
      node.dataset.condition = id;
      return node;
    }));
  }
  conditions.forEach(({ text }, index) => setText(list.children[index].lastChild, text));
}

function drawAlerts() {
  const words = { first_reply: "first reply", resolution: "resolution" };
  const alerts = store.alerts.map(({ metric, queue, breaches }) => [queue, `${format.count(breaches)} × ${words[metric] ?? metric} breached`]);
  const list = byId("alerts");
  const signature = JSON.stringify(alerts);
  if (list.dataset.alerts === signature) return;
  list.dataset.alerts = signature;
  list.replaceChildren(...alerts.map(([queue, text]) => {
    const node = element("li", "", icon("overdue"), element("span", "what", element("b", "", queue), element("span", "", text)));
    node.title = queue;
    return node;
  }));
}

function drawGroups() {
  const select = byId("group");
  const chosen = query.getAll("group").join("&");
  const values = store.groups.map((group) => Object.entries(group).map(([name, value]) => `${name}:${value}`));
  if (!values.some((parts) => parts.length === 0)) values.unshift([]);
  if (!values.some((parts) => parts.join("&") === chosen)) values.push(query.getAll("group"));
  const signature = JSON.stringify(values);
  if (select.dataset.values === signature) return;
  select.dataset.values = signature;
  select.replaceChildren(...values.map((parts) => {
    const option = element("option", "", parts.length ? parts.map((part) => part.replace(":", ": ")).join(", ") : "All cases");
    option.value = JSON.stringify(parts);
    option.selected = parts.join("&") === chosen;
    return option;
  }));
}

function chooseGroup(event) {
  query.delete("group");
  for (const part of JSON.parse(event.target.value)) query.append("group", part);
  location.search = query.toString();
}

function keepAwake() {
  document.documentElement.dataset.kiosk = "true";
  const ask = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  ask();
}
