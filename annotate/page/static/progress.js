// How much was answered in this session, and how fast.

import { personal } from "./page.js";

/** A count in an element; it outlives a reload of the page. */
export class Progress {
  #place;
  #kept;
  #answers = 0;
  #seconds = 0;

  constructor(place, kept) {
    this.#place = place;
    this.#kept = personal(kept);
    try {
      const [answers, seconds] = JSON.parse(sessionStorage.getItem(this.#kept)) ?? [0, 0];
      this.#answers = answers;
      this.#seconds = seconds;
    } catch {
      // What was kept is none of ours: begin at 0.
    }
    this.#draw();
  }

  /** Count answers. */
  add(answers, seconds) {
    this.#answers += answers;
    this.#seconds += seconds;
    const kept = JSON.stringify([this.#answers, this.#seconds]);
    sessionStorage.setItem(this.#kept, kept);
    this.#draw();
  }

  #draw() {
    const n = this.#answers;
    this.#place.dataset.answers = n;
    this.#place.textContent = n
      ? `${n.toLocaleString("en")} answered · ${(this.#seconds / n).toFixed(1)} s each`
      : "";
  }
}
