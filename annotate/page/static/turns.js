// One thing after another: shown, answered, gone back to.

import { outbox } from "./outbox.js";
import { showBanner } from "./outbox_banner.js";
import { Stopwatch } from "./stopwatch.js";
import { TaskQueue } from "./task_queue.js";

const MOST = 10;

/** A title, and words below it; of other states the page has its own. */
const WAITING = {
  loading: ["Loading …", ""],
  offline: ["No connection", "More comes when it is back."],
  paused: ["You are paused", ""],
};

export class Turns {
  current = null;
  // What is shown was answered before, and is being changed.
  changing = false;

  #how;
  #storing = false;
  #answered = [];
  #watch = new Stopwatch();

  /**
   * @param {string} name of the task
   * @param {object} how
   * @param {(task: object) => string[]} how.pictures to load ahead
   * @param {(task: object, said: object|null) => void} how.show a thing; what was said
   * @param {(title: string, words: string) => void} how.wait nothing can be shown; why,
   *   both are empty if nothing is left
   * @param {(trouble: string) => void} how.tell what went wrong; "": nothing
   * @param {() => object} [how.asks] what the server is told beside the count
   */
  constructor(name, how) {
    this.#how = how;
    this.queue = new TaskQueue(name, {
      ahead: 4,
      preloaded: 3,
      pictures: how.pictures,
      asks: how.asks,
    });
    this.queue.addEventListener("change", () => {
      if (this.current) return;
      if (this.queue.length) this.#next();
      else this.#wait();
    });
    this.queue.addEventListener("renewed", () => this.#wait());
    showBanner(document.getElementById("banner"));
  }

  /** Begin. */
  start() {
    this.#wait();
    this.queue.start();
  }

  /** Begin anew, with other things. */
  renew() {
    this.queue.stop();
    this.start();
  }

  /** Keep an answer to what is shown, and show the next thing; whether it was kept. */
  async answer(value) {
    const task = this.current;
    if (!task || this.#storing) return false;
    this.#storing = true;
    try {
      const seconds = this.#watch.read();
      await outbox.put([{ id: task.id, answer: value, seconds }]);
    } catch {
      this.#how.tell(
        "This browser could not keep the answer: free some space, and answer again.",
      );
      return false;
    } finally {
      this.#storing = false;
    }
    this.#how.tell("");
    const known = this.#answered.find((each) => each.task.id === task.id);
    if (known) known.value = value;
    else this.#answered = [...this.#answered, { task, value }].slice(-MOST);
    this.queue.done(task);
    this.#next();
    return true;
  }

  /** Whether there is an answer before what is shown. */
  get canGoBack() {
    return this.#before() !== undefined;
  }

  /** Show the answer before what is shown, to change it. */
  back() {
    this.change(this.#before());
  }

  /** Show an answer again, with what comes next after it. */
  change(entry) {
    if (!entry || this.#storing) return;
    if (this.current && !this.changing) this.queue.putBack(this.current);
    this.changing = true;
    this.#show(entry.task, entry.value);
  }

  /** Leave an earlier answer as it is. */
  keep() {
    if (this.changing) this.#next();
  }

  #before() {
    const place = this.#answered.findIndex((each) => each.task === this.current);
    return this.#answered[(place < 0 ? this.#answered.length : place) - 1];
  }

  #next() {
    this.changing = false;
    const task = this.queue.next();
    if (task) this.#show(task, null);
    else this.#wait();
  }

  #show(task, said) {
    this.current = task;
    this.#watch.start();
    this.#how.show(task, said);
  }

  #wait() {
    this.current = null;
    this.changing = false;
    const { message, state } = this.queue;
    // Until the server says that nothing is left, more may come.
    const isOver = state === "nothing";
    const [title, words] = isOver ? ["", ""] : (WAITING[state] ?? WAITING.loading);
    this.#how.wait(title, message || words);
  }
}
