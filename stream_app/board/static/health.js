// How much the numbers can be trusted right now. Pure: everything comes in as an argument.

import { age } from "./format.js";

export const LATE_AFTER_MS = 30_000;
export const STALE_AFTER_MS = 120_000;
const QUIET_AFTER_MS = 15_000;
const NAMES_SHOWN = 3;

// `now`: the log's clock (ms) or null. `silent`: ms since the server last spoke.
export function health(store, stream, now, clock) {
  const { pipeline, status } = store;
  const silent = stream.silentMs();
  const dataAge = now === null || pipeline.watermark === null ? null : Math.max(0, now - pipeline.watermark);
  const quiet = pipeline.heard_ago_ms === null ? null : pipeline.heard_ago_ms + silent;
  const conditions = [];
  if (!stream.connected) {
    conditions.push({ id: "disconnected", word: "Not connected", text: `No answer from the board's server for ${age(silent)}. Trying again.` });
  } else if (!status.connected || status.problem) {
    conditions.push({ id: "feed", word: "No feed", text: status.problem || "The broker does not answer." });
  } else if (status.caught_up && quiet !== null && quiet > QUIET_AFTER_MS) {
    conditions.push({ id: "quiet", word: "No new results", text: `Nothing published for ${age(quiet)}.` });
  }
  const late = lateSources(pipeline);
  if (late.length) conditions.push({ id: "late", word: "Late data", text: lateText(late, pipeline.clock, clock) });
  return { conditions, dataAge, late, stale: status.caught_up && (dataAge === null || dataAge > STALE_AFTER_MS), aged: dataAge === null || dataAge > LATE_AFTER_MS };
}

// Sources whose progress is more than 30 s behind the log's clock, the furthest first; never heard of = furthest.
export function lateSources({ clock, sources }) {
  if (clock === null) return [];
  return Object.entries(sources)
    .filter(([, progress]) => progress === null || clock - progress > LATE_AFTER_MS)
    .sort(([first, a], [second, b]) => (a ?? -Infinity) - (b ?? -Infinity) || first.localeCompare(second));
}

function lateText(late, clock, format) {
  const named = late.slice(0, NAMES_SHOWN).map(([source, progress]) =>
    progress === null ? `${source}, never heard from` : `${source} since ${format.time(progress)} (${age(clock - progress)} behind)`);
  const more = late.length - named.length;
  return named.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
