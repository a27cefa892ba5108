// Tiles by kind. Each is built once and filled again with every frame and every second.

import { element, icon, setState, setText } from "./elements.js";
import { Figure, setBreadth } from "./figures.js";
import * as format from "./format.js";

class Tile {
  constructor(spec, live) {
    this.spec = spec;
    this.live = live;
    this.age = element("p", "tile-age");
    this.body = element("div", "tile-body");
    const heading = element("div", "tile-head", element("h2", "", spec.title), this.age);
    this.node = element("section", `tile kind-${spec.kind}`, heading, this.body);
    this.node.id = `tile-${spec.id}`;
    this.build();
  }

  // "30 min · 4 s old": which window, and how old the data are.
  renderAge(view) {
    const window = this.window();
    const age = view.dataAge === null ? "age unknown" : `${format.shortAge(view.dataAge)}${this.spec.narrow && !view.aged ? "" : " old"}`;
    const words = this.spec.narrow && view.aged ? [age] : [window && format.windowName(window), this.aside ?? this.spec.aside, age];
    setText(this.age, words.filter(Boolean).join(" · "));
  }

  window() {
    const windows = new Set(this.figures?.map((figure) => figure.window));
    return windows.size === 1 ? [...windows][0] : "";
  }
}

class Hero extends Tile {
  build() {
    const { main, details = [] } = this.spec;
    const first = new Figure({ ...main, size: "hero" }, this.live);
    this.figures = [first, ...details.map((part) => new Figure({ ...part, size: "line" }, this.live, part.window !== "live"))];
    this.body.append(...this.figures.map((figure) => figure.node));
    if (this.spec.meter) {
      this.meter = element("div", "meter", element("i", "fill"), element("i", "goal"));
      first.node.after(this.meter);
    }
  }

  window() {
    return this.figures[0].window;
  }

  render(view) {
    for (const figure of this.figures) figure.render(view);
    if (this.meter) this.fillMeter(view);
  }

  fillMeter({ store }) {
    const { part, window } = this.figures[0];
    const [fill, mark] = this.meter.children;
    const value = store.row(part.kpi, window)?.value;
    const goal = store.board.goals[part.kpi];
    fill.style.width = format.isKnown(value) ? `${100 * value}%` : "0";
    mark.hidden = goal === undefined;
    if (goal !== undefined) mark.style.left = `${100 * goal}%`;
  }
}

class Figures extends Tile {
  build() {
    const named = new Set(this.spec.figures.map((part) => part.window)).size === 1;
    this.figures = this.spec.figures.map((part) => new Figure(part, this.live, named));
    this.body.classList.add("figures");
    if (this.spec.columns) this.body.classList.add(`columns-${this.spec.columns}`);
    this.body.append(...this.figures.map((figure) => figure.node));
  }

  render(view) {
    for (const figure of this.figures) figure.render(view);
  }
}

// Overdue and at risk now: the exceptions of the board. Colour, icon and word only while there are any.
class Targets extends Tile {
  build() {
    this.kinds = [this.makeKind("overdue", "Overdue"), this.makeKind("at_risk", "At risk")];
    this.body.classList.add("targets");
    this.body.append(...this.kinds.map((kind) => kind.node));
  }

  window() {
    return "now";
  }

  makeKind(id, word) {
    const number = element("span", "number", "N/A");
    const note = element("p", "note");
    const node = element("div", "figure target", element("p", "label", icon(id === "overdue" ? "overdue" : "risk"), word), element("p", "amount", number), note);
    node.dataset.kpi = `sla_${id}`;
    return { id, node, number, note };
  }

  render(view) {
    for (const { id, node, number, note } of this.kinds) {
      const rows = this.spec.metrics.map((metric) => view.store.row(`sla_${id}_${metric.id}`, "now"));
      const known = rows.filter((row) => format.isKnown(row?.value));
      const total = known.reduce((sum, row) => sum + row.value, 0);
      const text = known.length ? format.count(total) : "N/A";
      setText(number, text);
      setBreadth(node, text);
      setText(note, this.spec.metrics.map((metric, index) => `${metric.label} ${format.count(rows[index]?.value)}`).join("\n"));
      const raised = view.steady.evaluate(id, known.length > 0 && total > 0);
      setState(node, known.length ? (raised ? id : "normal") : "unknown");
    }
  }
}

class Stack extends Tile {
  build() {
    this.main = new Figure({ ...this.spec.main, size: "hero" }, this.live);
    this.bar = element("div", "stack");
    this.legend = element("ul", "legend");
    this.parts = this.spec.parts.map((part, index) => {
      const number = element("b", "", "N/A");
      const slice = element("i", `slice tone-${index}`);
      const entry = element("li", "", element("i", `dot tone-${index}`), element("span", "", part.label), number);
      entry.dataset.kpi = part.kpi;
      this.bar.append(slice);
      this.legend.append(entry);
      return { part, number, slice };
    });
    this.body.append(this.main.node, this.bar, this.legend);
  }

  window() {
    return "now";
  }

  render(view) {
    this.main.render(view);
    for (const { part, number, slice } of this.parts) {
      const amount = view.store.row(part.kpi, part.window)?.value;
      setText(number, format.count(amount));
      slice.style.flexGrow = format.isKnown(amount) ? amount : 0;
    }
  }
}

class Bars extends Tile {
  build() {
    this.body.classList.add("bars");
    this.parts = this.spec.parts.map((part) => {
      const number = element("b", "", "N/A");
      const fill = element("i", "fill");
      const node = element("div", "bar", element("span", "label", part.label), element("span", "track", fill), number);
      node.dataset.kpi = part.kpi;
      this.body.append(node);
      return { part, number, fill };
    });
  }

  window() {
    return "now";
  }

  render(view) {
    const amounts = this.parts.map(({ part }) => view.store.row(part.kpi, part.window)?.value);
    const most = Math.max(1, ...amounts.filter(format.isKnown));
    this.parts.forEach(({ number, fill }, index) => {
      setText(number, format.count(amounts[index]));
      fill.style.width = format.isKnown(amounts[index]) ? `${(100 * amounts[index]) / most}%` : "0";
    });
  }
}

// Per route, never blended; every number with its interval and n.
class Surveys extends Tile {
  build() {
    this.table = element("table", "surveys");
    const head = element("tr", "", element("th", "", "Route"), ...this.spec.columns.map((column) => element("th", "", column.label)));
    this.rows = element("tbody");
    this.table.append(element("thead", "", head), this.rows);
    this.body.append(this.table);
  }

  window() {
    return this.spec.window;
  }

  render(view) {
    const byRoute = new Map();
    for (const { kpi } of this.spec.columns) {
      for (const row of view.store.rows(kpi, this.spec.window)) {
        const route = row.group.route ?? "";
        if (!byRoute.has(route)) byRoute.set(route, {});
        byRoute.get(route)[kpi] = row;
      }
    }
    const answers = (found) => Math.max(0, ...Object.values(found).map((row) => row.n ?? 0));
    const routes = [...byRoute].sort(([first, a], [second, b]) => answers(b) - answers(a) || first.localeCompare(second));
    const shown = routes.length ? routes.slice(0, this.spec.routes) : [["", {}]];
    while (this.rows.rows.length > shown.length) this.rows.lastChild.remove();
    shown.forEach(([route, found], index) => this.fill(this.rows.rows[index] ?? this.addRow(), route, found));
    this.aside = routes.length > shown.length ? `${shown.length} of ${routes.length}` : "";
  }

  addRow() {
    const cell = () => element("td", "", element("b", "number", "N/A"), element("span", "note"));
    const row = element("tr", "", element("th", ""), ...this.spec.columns.map(cell));
    this.rows.append(row);
    return row;
  }

  fill(node, route, found) {
    setText(node.cells[0], route || "any");
    this.spec.columns.forEach(({ kpi }, index) => {
      const [number, note] = node.cells[index + 1].children;
      const row = found[kpi];
      const amount = format.value(row);
      setText(number, amount.unit ? `${amount.text} ${amount.unit}` : amount.text);
      setText(note, interval(row));
      setState(node.cells[index + 1], amount.text === "N/A" ? "unknown" : "normal");
    });
  }
}

function interval(row) {
  if (!row) return "";
  const found = [];
  if (format.isKnown(row.low) && format.isKnown(row.high)) {
    const scale = row.unit === "ratio" ? 100 : 1;
    const digits = row.kpi === "ces_mean" ? 1 : 0;
    found.push(`${(row.low * scale).toFixed(digits)} to ${(row.high * scale).toFixed(digits)}`);
  }
  if (format.isKnown(row.n)) found.push(`n ${format.count(row.n)}${row.small_n ? ", few" : ""}`);
  return found.join(" · ");
}

// The clocks that end next; past ones stay on top and count up.
class Next extends Tile {
  build() {
    this.list = element("ol", "next");
    this.empty = element("p", "none", "No clock is running.");
    this.body.append(this.list, this.empty);
  }

  window() {
    return "now";
  }

  render(view) {
    const items = (view.store.next ?? []).slice(0, this.spec.rows);
    this.list.hidden = items.length === 0;
    this.empty.hidden = items.length > 0;
    setText(this.empty, view.store.next ? "No clock is running." : format.NOT_AVAILABLE.text);
    while (this.list.children.length > items.length) this.list.lastChild.remove();
    items.forEach((item, index) => this.fill(this.list.children[index] ?? this.addRow(), item, view));
  }

  addRow() {
    const row = element("li", "", element("span", "countdown"), element("span", "what", element("b"), element("span", "note")), element("span", "chip"));
    this.list.append(row);
    return row;
  }

  fill(node, item, view) {
    const [countdown, what, chip] = node.children;
    const left = view.now === null ? null : item.due_at - view.now;
    const state = left === null ? "unknown" : left <= 0 ? "overdue" : view.now >= item.warn_at || item.at_risk ? "at_risk" : "normal";
    const { text, unit } = left === null ? format.NOT_AVAILABLE : format.running(left > 0 ? left + 999 : -left);
    setText(countdown, left !== null && left <= 0 ? `−${text}` : text);
    countdown.title = unit;
    setText(what.children[0], item.case_id);
    setText(what.children[1], [METRIC_NAMES[item.metric] ?? item.metric, item.queue, item.priority].filter((part) => part && part !== "unset").join(" · "));
    if (node.dataset.state !== state) {
      chip.replaceChildren(...(state === "overdue" ? [icon("overdue"), "Overdue"] : state === "at_risk" ? [icon("risk"), "At risk"] : []));
      setState(node, state);
    }
  }
}

const METRIC_NAMES = { first_reply: "First reply", resolution: "Resolution" };
const KINDS = { hero: Hero, figures: Figures, targets: Targets, stack: Stack, bars: Bars, surveys: Surveys, next: Next };

export function buildTiles(layout, liveWindow) {
  return layout.tiles.map((spec) => new KINDS[spec.kind](spec, liveWindow));
}
