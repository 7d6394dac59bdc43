// The outbox: every answer is on this browser's disk before anything else happens, and
// stays there until the server has said that it is on the server's disk.
//
//   import { outbox } from "./outbox.js";
//   await outbox.put([{ id: handle, answer: { choice: "true" }, seconds: 0.9 }]);
//
// What is put is sent at once. A crash, a reload, a lost network, a server that is down
// or a login that ran out lose nothing. Each answer has an id, so one that several tabs
// send, or that is sent again because the response was lost, is stored once.

import { openStore } from "./answer_store.js";

const AT_ONCE = 100;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const TIMEOUT = 20000;

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sends answers. Events: "change" when any of its properties changed.
 *
 * state: "opening" (not looked yet), "sent" (nothing waits), "sending", "offline", "failed" (the server), "login"
 * waiting: answers that the server does not have yet
 * others: how many of them are of somebody else, who used this browser before
 * refused: [{client_id, message}] answers that the server did not take
 * durable: whether answers survive when the page is closed
 */
class Outbox extends EventTarget {
  state = "opening";
  waiting = 0;
  others = 0;
  refused = [];
  durable = true;

  #person = meta("person");
  #token = meta("csrf-token");
  #opening = openStore();
  #running = false;
  #again = false;
  #wait = FIRST_WAIT;
  #timer = null;

  constructor() {
    super();
    addEventListener("online", () => this.send());
    addEventListener("focus", () => this.send());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.send();
    });
    this.send();
  }

  /**
   * Keep answers, and send them.
   *
   * @param {{id: string, answer: object, seconds: number, at?: number}[]} answers
   * @returns {Promise<string[]>} their ids, when they are on the disk
   */
  async put(answers) {
    const entries = answers.map((one) => ({
      client_id: newId(),
      person: this.#person,
      at: Date.now() / 1000,
      ...one,
    }));
    const { store } = await this.#opening;
    await store.add(entries);
    this.waiting += entries.length;
    // Whoever reads "sent" may rely on it: the server has all of this.
    if (this.state === "sent") this.state = "sending";
    this.#changed();
    this.send();
    return entries.map((entry) => entry.client_id);
  }

  /** Send what waits, now. */
  send() {
    clearTimeout(this.#timer);
    this.#again = true;
    if (!this.#running) this.#run();
  }

  /** Wait until the server has everything that was put. */
  async allSent() {
    while (this.state !== "sent")
      await new Promise((done) => this.addEventListener("change", done, { once: true }));
  }

  /** Forget the messages about answers that were refused. */
  async forgetRefused() {
    const { store } = await this.#opening;
    await store.forgetRefused();
    this.refused = [];
    this.#changed();
  }

  async #run() {
    this.#running = true;
    try {
      const { durable } = await this.#opening;
      this.durable = durable;
      while (this.#again) {
        this.#again = false;
        await this.#alone(() => this.#sendAll());
      }
    } finally {
      this.#running = false;
    }
  }

  /** One tab sends at a time, where the browser can arrange that. */
  #alone(work) {
    return navigator.locks ? navigator.locks.request("icf-outbox", work) : work();
  }

  async #sendAll() {
    const { store } = await this.#opening;
    this.refused = await store.refused();
    for (;;) {
      const every = await store.all();
      const mine = every.filter((one) => one.person === this.#person);
      this.waiting = mine.length;
      this.others = every.length - mine.length;
      if (mine.length === 0) return this.#becomes("sent");
      const isFine = this.state === "sent" || this.state === "opening";
      this.#becomes(isFine ? "sending" : this.state);
      if (!(await this.#sendSome(store, mine.slice(0, AT_ONCE)))) return;
      this.#wait = FIRST_WAIT;
    }
  }

  /** Send some; return whether to go on at once. */
  async #sendSome(store, entries) {
    let response;
    try {
      response = await this.#call(entries);
    } catch {
      return this.#later("offline");
    }
    const { status } = response;
    if (status === 401) return this.#later("login");
    if (status === 403) return (await this.#newToken()) || this.#later("login");
    if (status === 429 || status >= 500) return this.#later("failed");
    if (!response.ok) return this.#sendOneByOne(store, entries, response);
    let receipts;
    try {
      ({ receipts } = await response.json());
    } catch {
      return this.#later("offline");
    }
    return this.#settle(store, entries, receipts);
  }

  /** Something in the request as a whole was refused: find out which answer it is. */
  async #sendOneByOne(store, entries, response) {
    if (entries.length > 1) {
      for (const entry of entries) {
        if (!(await this.#sendSome(store, [entry]))) return false;
      }
      return true;
    }
    const message = await response
      .json()
      .then((found) => found.error)
      .catch(() => null);
    const said = message || `the server refused it (${response.status})`;
    await store.settle([], [{ client_id: entries[0].client_id, message: said }]);
    this.refused = await store.refused();
    return true;
  }

  async #settle(store, entries, receipts) {
    const sent = new Set(entries.map((entry) => entry.client_id));
    const known = receipts.filter((one) => sent.has(one.client_id));
    const stored = known.filter((one) => one.stored).map((one) => one.client_id);
    const refused = known
      .filter((one) => !one.stored)
      .map(({ client_id, message }) => ({ client_id, message }));
    await store.settle(stored, refused);
    if (refused.length) this.refused = await store.refused();
    this.#becomes("sending");
    // No receipt, no removal: what is left is sent again, after a while.
    return known.length === entries.length || this.#later("failed");
  }

  #call(entries) {
    const answers = entries.map(({ id, client_id, answer, seconds, at }) => ({
      id,
      client_id,
      answer,
      seconds,
      at,
    }));
    return fetch("/api/answers", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": this.#token },
      body: JSON.stringify({ answers }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  }

  /** After a new login the page has another token: return whether there is one. */
  async #newToken() {
    try {
      const response = await fetch("/", { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.querySelector('meta[name="csrf-token"]')?.content;
      const person = page.querySelector('meta[name="person"]')?.content;
      if (!found || found === this.#token || person !== this.#person) return false;
      this.#token = found;
      document.querySelector('meta[name="csrf-token"]').content = found;
      return true;
    } catch {
      return false;
    }
  }

  /** Try again after a while, which doubles each time; always false. */
  #later(state) {
    this.#becomes(state);
    clearTimeout(this.#timer);
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => this.send(), wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    return false;
  }

  #becomes(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The one of this page. */
export const outbox = new Outbox();
