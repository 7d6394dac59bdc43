// One thing after another: shown, answered, gone back to; on every page that asks.

import { outbox } from "./outbox.js";
import { showBanner } from "./outbox_banner.js";
import { say } from "./page.js";
import { afterGlance, areSeen, isThere, whenSeen } from "./sight.js";
import { Stopwatch } from "./stopwatch.js";
import { TaskQueue } from "./task_queue.js";

const MOST = 10;

/** A title, and words below it, by the queue's state; pages have others of their own. */
const WAITING = {
  loading: ["Loading …", ""],
  offline: ["No connection", "More comes when it is back."],
  paused: ["You are paused", ""],
};

const NOT_KEPT =
  "This browser could not keep the answer on its disk. Free some space, and answer again.";

const at = (id) => document.getElementById(id);
const work = at("work");

export class Turns {
  current = null;
  // What is shown was answered before, and is being changed.
  changing = false;
  storing = false;
  paused = false;

  #how;
  #answered = [];
  #watch = new Stopwatch();
  #shown = 0;
  #stored = 0;
  // Which of the shown things can be answered by now.
  #open = 0;

  /**
   * @param {string} name of the task
   * @param {object} how also what the queue takes
   * @param {Record<string, string[]>} how.waiting by the queue's state, a title and what
   *   is below it
   * @param {(task: object, said: object|null) => void} how.show a thing; what was said
   * @param {() => Element[]} how.compared the pictures that must have been seen
   * @param {(picture: Element) => boolean} [how.is] what of them counts as seen
   * @param {() => void} how.missing say that a picture is not there yet
   * @param {() => void} [how.there] all pictures are: the time runs from here
   * @param {() => void} [how.wait] nothing is shown
   * @param {(task: object, value: object) => object[]} [how.answers] an answer for each
   *   lease
   * @param {(task: object, value: object, seconds: number) => void} [how.kept] an answer
   *   is on the disk
   */
  constructor(name, how) {
    this.#how = {
      is: isThere,
      there() {},
      wait() {},
      answers: (task, value) => [{ id: task.id, answer: value }],
      kept() {},
      ...how,
    };
    this.queue = new TaskQueue(name, { ahead: 4, preloaded: 3, ...how });
    this.queue.addEventListener("change", () => {
      if (this.current || this.paused) return;
      if (this.queue.length) this.#next();
      else this.#wait();
    });
    this.queue.addEventListener("loaded", () => this.#countAhead());
    this.queue.addEventListener("renewed", () => this.paused || this.#wait());
    showBanner(at("banner"));
  }

  /** Begin. */
  start() {
    this.#wait();
    this.queue.start();
  }

  /** Begin again, with other things. */
  renew() {
    this.queue.stop();
    this.start();
  }

  /** Give back what is shown, and ask for nothing; or go on. */
  pause(wanted) {
    if (wanted === this.paused || this.storing) return;
    this.paused = wanted;
    this.#watch.pause(wanted);
    if (!wanted) return this.start();
    this.queue.stop();
    this.#wait();
    work.dataset.state = "paused";
    say("Paused");
    at("go-on").focus();
  }

  /** Say above the page what went wrong; "": nothing. */
  tell(trouble) {
    at("trouble").textContent = trouble;
    at("trouble").hidden = !trouble;
  }

  /**
   * Keep an answer to what is shown, and show the next thing.
   *
   * @param {object} value
   * @param {Element[]} pictures that nobody answers so without having seen them
   */
  async answer(value, pictures = this.#how.compared()) {
    const task = this.current;
    if (!task || this.storing || this.#open !== this.#shown) return;
    if (!pictures.every(this.#how.is)) return this.#how.missing();
    if (!areSeen(pictures, this.#how.is)) return;
    this.storing = true;
    const seconds = this.#watch.read();
    const answers = this.#how.answers(task, value);
    const each = seconds / answers.length;
    try {
      await outbox.put(answers.map((one) => ({ ...one, seconds: each })));
    } catch {
      // The disk is full, or the browser took it away: it is asked again.
      return this.tell(NOT_KEPT);
    } finally {
      this.storing = false;
    }
    work.dataset.stored = ++this.#stored;
    this.#how.kept(task, value, seconds);
    const known = this.#answered.find((entry) => entry.task.id === task.id);
    if (known) known.value = value;
    else this.#answered = [...this.#answered, { task, value }].slice(-MOST);
    this.queue.done(task);
    this.#next();
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
    if (!entry || this.storing || this.paused) return;
    if (this.current && !this.changing) this.queue.putBack(this.current);
    this.changing = true;
    this.#show(entry.task, entry.value);
  }

  /** Leave an earlier answer as it is. */
  keep() {
    if (this.changing) this.#next();
  }

  #before() {
    const place = this.#answered.findIndex(({ task }) => task.id === this.current?.id);
    return this.#answered[(place < 0 ? this.#answered.length : place) - 1];
  }

  #next() {
    this.changing = false;
    const task = this.queue.next();
    this.#countAhead();
    if (task) this.#show(task, null);
    else this.#wait();
  }

  #show(task, said) {
    const number = ++this.#shown;
    const ifShown = (act) => () => number === this.#shown && act();
    this.current = task;
    work.dataset.state = this.changing ? "changing" : "asking";
    this.tell("");
    this.#how.show(task, said);
    this.#watch.start();
    const { compared, is } = this.#how;
    const pictures = compared();
    const look = ifShown(() => {
      if (this.#open === number && areSeen(pictures, is)) work.dataset.shown = number;
    });
    afterGlance(
      ifShown(() => {
        work.dataset.open = this.#open = number;
        look();
      }),
    );
    whenSeen(
      pictures,
      ifShown(() => {
        this.#watch.start();
        this.#how.there();
      }),
      look,
      is,
    );
  }

  #wait() {
    this.tell("");
    this.current = null;
    this.changing = false;
    const { message, state } = this.queue;
    const [title, words] = { ...WAITING, ...this.#how.waiting }[state] ?? WAITING.loading;
    work.dataset.state = "waiting";
    at("waiting-title").textContent = title;
    at("waiting-words").textContent = message || words;
    this.#how.wait();
  }

  /** How many can be answered without a network after the one that is shown. */
  #countAhead() {
    work.dataset.ahead = this.queue.loaded;
  }
}
