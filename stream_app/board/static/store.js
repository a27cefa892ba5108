// What the server has told: rows by key, found by KPI and window.

export class Store {
  #rows = new Map();
  #byName = new Map();

  seq = 0;
  boot = "";
  board = { name: "", zone: "UTC", goals: {} };
  catalogue = {};
  groups = [];
  status = { caught_up: false, connected: false, problem: "" };
  pipeline = { watermark: null, clock: null, simulated: false, heard_ago_ms: null, sources: {} };
  next = null; // never heard of
  alerts = [];

  snapshot(frame) {
    this.#rows.clear();
    this.#byName.clear();
    this.boot = frame.boot;
    this.board = frame.board;
    this.catalogue = frame.catalogue ?? {};
    this.groups = frame.groups;
    this.#take(frame);
  }

  // False where a frame is missing in between: only a snapshot helps then.
  delta(frame) {
    if (frame.from !== this.seq) return false;
    if (frame.groups) this.groups = frame.groups;
    for (const key of frame.removed) this.#remove(key);
    this.#take(frame);
    return true;
  }

  beat(frame) {
    this.status = frame.status;
    this.pipeline = frame.pipeline;
  }

  // The row of a KPI and window; of several (one per route), the first.
  row(kpi, window) {
    return this.rows(kpi, window)[0];
  }

  rows(kpi, window) {
    return [...(this.#byName.get(`${kpi} ${window}`)?.values() ?? [])];
  }

  #take(frame) {
    this.seq = frame.seq;
    this.beat(frame);
    this.next = frame.next_to_breach;
    this.alerts = frame.alerts;
    for (const row of frame.rows) this.#put(row);
  }

  #put(row) {
    this.#rows.set(row.key, row);
    const name = `${row.kpi} ${row.window}`;
    if (!this.#byName.has(name)) this.#byName.set(name, new Map());
    this.#byName.get(name).set(row.key, row);
  }

  #remove(key) {
    const row = this.#rows.get(key);
    if (!row) return;
    this.#rows.delete(key);
    this.#byName.get(`${row.kpi} ${row.window}`)?.delete(key);
  }
}
