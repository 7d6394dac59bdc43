// The last ten answers, each of which can be changed.

import { personal } from "./page.js";
import { CHOICES, actionOfChoice } from "./pair.js";

const MOST = 10;

/** A strip of answers in an element; it outlives a reload of the page. */
export class Strip {
  #place;
  #kept;
  #changed;
  #entries = [];

  /**
   * @param {HTMLElement} place a list
   * @param {string} kept where it is kept in the session's storage
   * @param {(entry: {task: object, value: object}) => void} changed called when one is
   *   to be changed
   */
  constructor(place, kept, changed) {
    this.#place = place;
    this.#kept = personal(kept);
    this.#changed = changed;
    try {
      this.#entries = JSON.parse(sessionStorage.getItem(this.#kept)) ?? [];
    } catch {
      this.#entries = [];
    }
    this.#draw();
  }

  /** Remember an answer; another one to the same thing takes its place. */
  remember(task, choice) {
    const known = this.#entries.find((entry) => entry.task.id === task.id);
    if (known) known.choice = choice;
    else this.#entries.push({ task, choice });
    this.#entries = this.#entries.slice(-MOST);
    sessionStorage.setItem(this.#kept, JSON.stringify(this.#entries));
    this.#draw();
  }

  /** Change the answer before that to a thing, or the last one, if there is one. */
  back(task) {
    const place = this.#entries.findIndex((entry) => entry.task.id === task?.id);
    const entry = this.#entries[(place < 0 ? this.#entries.length : place) - 1];
    if (entry) this.#change(entry);
  }

  /** Mark the one that is being changed. */
  mark(task) {
    for (const button of this.#place.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.task === task?.id));
  }

  #change({ task, choice }) {
    this.#changed({ task, value: { choice } });
  }

  #draw() {
    this.#place.replaceChildren(...this.#entries.map((entry) => this.#item(entry)));
    this.#place.scrollLeft = this.#place.scrollWidth;
  }

  #item(entry) {
    const action = actionOfChoice(entry.choice);
    const { says, alone, sign, tone } = CHOICES[action];
    const words = entry.task.alone ? alone : says;
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = `past ${tone}`;
    button.dataset.task = entry.task.id;
    button.setAttribute("aria-pressed", "false");
    button.title = `${entry.task.character}: ${words}. Click to change it.`;
    button.setAttribute("aria-label", button.title);
    const picture = document.createElement("img");
    picture.src = entry.task.candidate;
    picture.alt = "";
    const mark = document.createElement("span");
    mark.textContent = sign;
    button.append(picture, mark);
    button.addEventListener("click", () => {
      button.blur();
      this.#change(entry);
    });
    item.append(button);
    return item;
  }
}
