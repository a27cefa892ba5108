// One number with its label, unit, window and what it was made of.

import { element, setState, setText } from "./elements.js";
import * as format from "./format.js";

export class Figure {
  constructor(part, liveWindow) {
    this.part = part;
    this.window = part.window === "live" ? liveWindow : part.window;
    this.label = element("p", "label", part.label ?? "");
    this.number = element("span", "number", "N/A");
    this.unit = element("span", "unit");
    this.note = element("p", "note");
    this.node = element("div", `figure ${part.size ?? "small"}`, this.label, element("p", "amount", this.number, this.unit), this.note);
    this.node.dataset.kpi = part.kpi;
    this.node.dataset.window = this.window;
    if (part.divide) this.node.classList.add("divide");
  }

  render(view) {
    const { part } = this;
    const row = view.store.row(part.kpi, this.window);
    const amount = this.#amount(row, view);
    setText(this.number, amount.text);
    setText(this.unit, part.unit && amount.text !== "N/A" ? part.unit : amount.unit);
    setText(this.note, notes(row, part, view, this.window));
    const meaning = view.store.catalogue[part.kpi]?.meaning;
    if (meaning && !this.node.title) this.node.title = meaning;
    setState(this.node, amount.text === "N/A" ? "unknown" : goalState(row, part, view, this.window));
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

export function notes(row, part, view, window) {
  const found = [];
  if (part.size || part.label) found.push(format.windowName(window));
  if (row && format.isKnown(row.numerator) && format.isKnown(row.denominator) && row.unit === "ratio") {
    found.push(`${format.count(row.numerator)} of ${format.count(row.denominator)}${part.of ? ` ${part.of}` : ""}`);
  } else if (row && format.isKnown(row.n)) {
    found.push(`n ${format.count(row.n)}`);
  }
  if (row?.small_n && !row.unit?.includes("score")) found.push("small n");
  const goal = view.store.board.goals[part.kpi];
  if (goal !== undefined) {
    const { text, unit } = format.value({ ...row, unit: view.store.catalogue[part.kpi]?.unit ?? row?.unit, kpi: part.kpi, value: goal });
    found.push(`goal ${text} ${unit}`.trim());
  }
  return found.join(" · ");
}

function goalState(row, part, view, window) {
  const goal = view.store.board.goals[part.kpi];
  if (goal === undefined || !row) return "normal";
  const lower = view.store.catalogue[part.kpi]?.direction === "lower";
  const missed = lower ? row.value > goal : row.value < goal;
  return view.steady.evaluate(`${part.kpi} ${window}`, missed) ? "missed" : "normal";
}
