// Seconds that somebody looked at something: neither paused nor with the tab hidden.

export class Stopwatch {
  #passed = 0;
  #since = null;
  #paused = false;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#follow());
  }

  /** Begin again at 0. */
  start() {
    this.#passed = 0;
    this.#since = null;
    this.#follow();
  }

  /** Stop while something else is shown, or go on. */
  pause(paused) {
    this.#paused = paused;
    this.#follow();
  }

  /** Seconds since it began. */
  read() {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return (this.#passed + running) / 1000;
  }

  #follow() {
    const runs = !this.#paused && document.visibilityState === "visible";
    if (runs && this.#since === null) this.#since = performance.now();
    if (!runs && this.#since !== null) {
      this.#passed += performance.now() - this.#since;
      this.#since = null;
    }
  }
}
