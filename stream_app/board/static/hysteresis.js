// A state that does not flicker: entered after two evaluations in a row, left after four.

const ENTER = 2;
const LEAVE = 4;

export class Hysteresis {
  #states = new Map();

  evaluate(name, wanted) {
    const held = this.#states.get(name) ?? { on: false, streak: 0 };
    held.streak = wanted === held.on ? 0 : held.streak + 1;
    if (held.streak >= (held.on ? LEAVE : ENTER)) {
      held.on = !held.on;
      held.streak = 0;
    }
    this.#states.set(name, held);
    return held.on;
  }

  isOn(name) {
    return this.#states.get(name)?.on ?? false;
  }
}
