// The connection to the server: reconnects by itself and says how long it has been silent.

const RETRY_MS = 2000;
export const SILENT_AFTER_MS = 12000; // the server speaks at least every 5 s

export class Stream {
  #store;
  #group;
  #onFrame;
  #source = null;
  #lastId = "";
  #lastMessage = performance.now();

  connected = false;

  constructor(store, group, onFrame) {
    this.#store = store;
    this.#group = group;
    this.#onFrame = onFrame;
  }

  start() {
    this.#open();
    // A half-open connection raises no error: only the clock tells.
    setInterval(() => {
      if (this.#source && this.silentMs() > SILENT_AFTER_MS) this.#reopen();
    }, 1000);
  }

  silentMs() {
    return performance.now() - this.#lastMessage;
  }

  #open() {
    const query = new URLSearchParams();
    for (const part of this.#group) query.append("group", part);
    if (this.#lastId) query.set("last", this.#lastId);
    const source = new EventSource(`/events?${query}`);
    this.#source = source;
    this.#listen(source, "snapshot", (frame) => this.#store.snapshot(frame));
    this.#listen(source, "delta", (frame) => {
      if (!this.#store.delta(frame)) this.#resync();
    });
    this.#listen(source, "beat", (frame) => this.#store.beat(frame));
    source.onerror = () => {
      this.connected = false;
      this.#onFrame();
      if (source.readyState === EventSource.CLOSED && source === this.#source) this.#later();
    };
  }

  #listen(source, name, take) {
    source.addEventListener(name, (message) => {
      if (source !== this.#source) return;
      this.#lastMessage = performance.now();
      this.#lastId = message.lastEventId;
      this.connected = true;
      take(JSON.parse(message.data));
      this.#onFrame(name);
    });
  }

  #resync() {
    this.#lastId = "";
    this.#reopen();
  }

  #reopen() {
    this.#source.close();
    this.connected = false;
    this.#lastMessage = Math.max(this.#lastMessage, performance.now() - SILENT_AFTER_MS);
    this.#open();
  }

  #later() {
    this.#source = null;
    setTimeout(() => this.#open(), RETRY_MS);
  }
}
