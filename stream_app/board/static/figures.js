// One number with its label, unit, window and what it was made of.

import { element, setState, setText } from "./elements.js";
import * as format from "./format.js";

export class Figure {
  // `named`: the tile's head already names the window.
  constructor(part, liveWindow, named = true) {
    this.part = part;
    this.named = named;
    this.window = part.window === "live" ? liveWindow : part.window;
    this.label = element("p", "label", part.label ?? "");
    this.number = element("span", "number", "N/A");
    this.unit = element("span", "unit");
    this.note = element("p", "note");
    const amount = element("p", "amount", this.number, this.unit);
    if (!named && part.size !== "line") amount.append(element("span", "of-window", format.windowName(this.window)));
    this.node = element("div", `figure ${part.size ?? "small"}`, this.label, amount, this.note);
    this.node.dataset.kpi = part.kpi;
    this.node.dataset.window = this.window;
    if (part.divide) this.node.classList.add("divide");
  }

  render(view) {
    const { part } = this;
    const row = view.store.row(part.kpi, this.window);
    const amount = this.#amount(row, view);
    setText(this.number, amount.text);
    setText(this.unit, part.unit_below ? "" : amount.unit);
    const state = amount.text === "N/A" ? "unknown" : goalState(row, part, view, this.window);
    setText(this.note, state === "missed" ? `▼ misses goal ${goalOf(part.kpi, view)}` : notes(row, part, view, this.named || part.size !== "line" ? "" : this.window));
    setBreadth(this.node, amount.text, part.unit_below ? "" : amount.unit);
    const meaning = view.store.catalogue[part.kpi]?.meaning;
    if (meaning && !this.node.title) this.node.title = meaning;
    setState(this.node, state);
  }

  #amount(row, view) {
    if (row && format.isKnown(row.since) && view.now !== null) return format.running(view.now - row.since);
    if (!row || !format.isKnown(row.value)) {
      const other = this.part.empty_when_zero && view.store.row(this.part.empty_when_zero, this.window);
      return other && other.value === 0 ? { text: "none", unit: "" } : format.NOT_AVAILABLE;
    }
    return format.value(row, this.part);
  }
}

// The stylesheet fits the type to the room that there is.
export function setBreadth(node, text, unit = "") {
  const breadths = `${format.breadth(text)} ${unit.length}`;
  if (node.dataset.breadths === breadths) return;
  node.dataset.breadths = breadths;
  node.style.setProperty("--digits", String(Math.max(1, format.breadth(text))));
  node.style.setProperty("--unit", String(unit.length));
}

function notes(row, part, view, window) {
  const found = window ? [format.windowName(window)] : [];
  if (part.unit_below && format.isKnown(row?.value) && row.unit) found.push(row.unit);
  if (part.trend && format.isKnown(row?.value)) found.push(part.trend[Math.sign(row.value) + 1]);
  if (part.say && format.isKnown(row?.value)) found.push(part.say);
  if (row && row.unit === "ratio" && format.isKnown(row.numerator) && format.isKnown(row.denominator)) {
    found.push(`${format.count(row.numerator)} of ${format.count(row.denominator)}${part.of ? ` ${part.of}` : ""}`);
  } else if (format.isKnown(row?.n)) {
    found.push(`n ${format.count(row.n)}`);
  }
  if (row?.small_n) found.push("few");
  const goal = goalOf(part.kpi, view);
  if (goal && part.size !== "line") found.push(`goal ${goal}`);
  return found.join(" · ");
}

function goalOf(kpi, { store }) {
  const value = store.board.goals[kpi];
  if (value === undefined) return "";
  const { text, unit } = format.value({ kpi, value, unit: store.catalogue[kpi]?.unit });
  return `${text.replace(/\.0$/, "")} ${unit}`.trim();
}

function goalState(row, part, view, window) {
  const goal = view.store.board.goals[part.kpi];
  if (goal === undefined || !row) return "normal";
  const lower = view.store.catalogue[part.kpi]?.direction === "lower";
  const missed = lower ? row.value > goal : row.value < goal;
  return view.steady.evaluate(`${part.kpi} ${window}`, missed) ? "missed" : "normal";
}
