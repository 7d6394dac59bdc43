// What is shown next: leased from the server ahead of time, with pictures that are
// decoded already; held while the page is seen, and given back when it is left.

import { post, sendLast } from "./page.js";

const HEARTBEAT = 60000;
// What was leased is not ours any more after such an absence.
const TOO_LONG = 600000;
const RETRIES = [500, 2000, 5000, 15000, 60000];
const POLL = [2000, 5000, 10000, 20000];

/**
 * Events: "change" when there is something to show, or nothing any more; "loaded" when
 * another picture is here; "renewed" when what is shown was given back after a long
 * absence. After an absence from what was begun it is stopped instead.
 *
 * state: "loading", "ready", "nothing", "paused" (by the server), "offline"
 * message: why, if the server paused the person
 */
export class TaskQueue extends EventTarget {
  state = "loading";
  message = "";

  #name;
  #ahead;
  #preloaded;
  #pictures;
  #asks;
  #isBegun;
  #tasks = [];
  #held = new Set();
  #images = new Map();
  #asking = false;
  #stopped = true;
  #tries = 0;
  #timer = null;
  #hiddenAt = null;
  #era = 0;

  /**
   * @param {string} name of the task
   * @param {object} how
   * @param {number} how.ahead things that are leased at a time
   * @param {number} how.preloaded things whose pictures are loaded
   * @param {(task: object) => string[]} how.pictures of a thing, the important first
   * @param {(task: object) => string[]} [how.handles] of its leases
   * @param {() => object} [how.asks] sent to the server beside the count
   * @param {() => boolean} [how.isBegun] whether somebody works on what is shown, so
   *   that it stays there over a long absence
   */
  constructor(name, how) {
    const { ahead, preloaded, pictures, handles, asks, isBegun } = how;
    super();
    this.#name = name;
    this.#ahead = ahead;
    this.#preloaded = preloaded;
    this.#pictures = pictures;
    this.handles = handles ?? ((task) => [task.id]);
    this.#asks = asks ?? (() => ({}));
    this.#isBegun = isBegun ?? (() => false);
    setInterval(() => this.#beat(), HEARTBEAT);
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.#renew());
    addEventListener("online", () => this.#fill());
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  /** Whether nothing is asked for. */
  get isStopped() {
    return this.#stopped;
  }

  /** Ask for things, until `stop`. */
  start() {
    this.#stopped = false;
    this.#becomes("loading");
    this.#fill();
  }

  /** Give everything back, and ask for nothing. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#giveBack(giveBack);
  }

  /** The next thing, or null; its lease is ours until `done`. */
  next() {
    const task = this.#tasks.shift() ?? null;
    this.#fill();
    return task;
  }

  /** Show this one next, before the others. */
  putBack(task) {
    this.#tasks.unshift(task);
  }

  /** It was answered: its lease ends with that. */
  done(task) {
    for (const handle of this.handles(task)) this.#held.delete(handle);
    for (const url of this.#pictures(task)) this.#images.delete(url);
    this.#preload();
  }

  /** How many are here. */
  get length() {
    return this.#tasks.length;
  }

  /** How many of the next ones can be shown without a network: their pictures are here. */
  get loaded() {
    const isHere = (url) => this.#images.get(url)?.naturalWidth > 0;
    const first = this.#tasks.findIndex((task) => !this.#pictures(task).every(isHere));
    return first < 0 ? this.#tasks.length : first;
  }

  /** A picture as an element, with words for it; decoded if it was preloaded. */
  image(url, words) {
    const made = this.#images.get(url) ?? load(url);
    this.#images.delete(url);
    made.alt = words;
    return made;
  }

  async #fill() {
    if (this.#stopped || this.#asking) return;
    if (this.#tasks.length * 2 > this.#ahead) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    const era = this.#era;
    try {
      const count = this.#ahead - this.#tasks.length;
      const got = await post(`/api/${this.#name}/next`, { ...this.#asks(), count });
      if (era === this.#era) this.#take(got);
      // What was on its way as everything was given back: nobody here will answer it.
      else await giveBack(got.tasks.flatMap((task) => this.handles(task)));
    } catch (error) {
      if (era === this.#era) this.#failed(error);
    } finally {
      this.#asking = false;
    }
    if (era !== this.#era) this.#fill();
  }

  #take({ tasks, paused }) {
    this.#tasks.push(...tasks);
    for (const task of tasks)
      for (const handle of this.handles(task)) this.#held.add(handle);
    this.#preload();
    this.message = paused ?? "";
    if (tasks.length) this.#tries = 0;
    else this.#later();
    if (this.#tasks.length) this.#becomes("ready");
    else this.#becomes(paused ? "paused" : "nothing");
  }

  #failed(error) {
    this.message = error.status ? error.message : "";
    if (!this.#tasks.length) this.#becomes("offline");
    this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    const wait = POLL[Math.min(this.#tries, POLL.length - 1)];
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#fill(), wait);
  }

  #preload() {
    for (const task of this.#tasks.slice(0, this.#preloaded))
      for (const url of this.#pictures(task))
        if (!this.#images.has(url)) this.#images.set(url, this.#load(url));
  }

  #load(url) {
    const made = load(url);
    made.addEventListener("load", () => this.dispatchEvent(new Event("loaded")));
    return made;
  }

  #beat() {
    if (document.visibilityState !== "visible" || !this.#held.size) return;
    post("/api/heartbeat", { ids: [...this.#held] }).catch(() => {});
  }

  #giveBack(send) {
    this.#era += 1;
    const ids = [...this.#held];
    this.#held.clear();
    this.#tasks = [];
    this.#images.clear();
    if (ids.length) send(ids);
  }

  /** What is on its way is given back by the server, which sees that nobody waits. */
  #leave() {
    this.#stopped = true;
    this.#giveBack((ids) => sendLast("/api/release", { ids }));
  }

  #seen() {
    if (document.visibilityState !== "visible") {
      this.#hiddenAt = Date.now();
      return;
    }
    const away = this.#hiddenAt === null ? 0 : Date.now() - this.#hiddenAt;
    this.#hiddenAt = null;
    if (this.#stopped) return;
    if (away < TOO_LONG) return this.#beat();
    this.#renew();
  }

  /** What is shown may be somebody else's by now: begin again. */
  #renew() {
    this.stop();
    // Late answers are taken. Until then the server might give the same thing again.
    if (this.#isBegun()) return;
    this.start();
    this.dispatchEvent(new Event("renewed"));
  }

  #becomes(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

async function giveBack(ids) {
  if (ids.length) await post("/api/release", { ids }).catch(() => {});
}

/** A picture that loads; what fails is tried again, a few times. */
function load(url) {
  const made = new Image();
  let tries = 0;
  made.decoding = "sync";
  made.draggable = false;
  made.addEventListener("load", () => made.classList.remove("missing"));
  made.addEventListener("error", () => {
    made.classList.add("missing");
    if (tries < RETRIES.length) setTimeout(() => (made.src = url), RETRIES[tries]);
    tries += 1;
  });
  made.src = url;
  // So that it is painted with the frame in which it is shown.
  made.decode().catch(() => {});
  return made;
}
