// Pairs: is this face this character? One key an answer.

import { actionOf, say } from "./page.js";
import { Context } from "./context.js";
import {
  CHOICES,
  answerPair,
  compared,
  picturesOf,
  showPair,
  watchButtons,
} from "./pair.js";
import { Progress } from "./progress.js";
import { Strip } from "./strip.js";
import { Turns } from "./turns.js";
import { watchSwipes } from "./swipe.js";

const SWIPES = { right: "same", left: "different", up: "unsure" };

const at = (id) => document.getElementById(id);
const work = at("work");
const context = new Context(at("context"));
const progress = new Progress(at("progress"), "pairs-progress");
const strip = new Strip(at("strip"), "pairs-strip", (entry) => {
  context.close();
  turns.change(entry);
});

const turns = new Turns("pairs", {
  ahead: 12,
  preloaded: 5,
  pictures: picturesOf,
  waiting: {
    nothing: [
      "Nothing left for now",
      "New questions appear here by themselves. Thank you.",
    ],
    offline: ["No connection", "Questions come when it is back."],
  },
  compared,
  show(task, said) {
    showPair(turns.queue, task, said);
    strip.mark(turns.changing ? task : null);
    const words = turns.changing ? "Change this answer. " : "";
    say(`${words}${at("asked").textContent} ${task.album}`);
  },
  missing: () => say("The picture is not there yet."),
  there: restartPace,
  wait: () => strip.mark(null),
  kept(task, { choice }, seconds) {
    context.close();
    if (!turns.changing) progress.add(1, seconds);
    strip.remember(task, choice);
  },
});

/** The mark that is full after a second starts again; it never answers. */
function restartPace() {
  const mark = at("pace").firstElementChild;
  mark.replaceWith(mark.cloneNode());
}

function pause(wanted) {
  context.close();
  turns.pause(wanted);
}

const ACTIONS = {
  context: () => turns.current && context.toggle(turns.current.context),
  undo: () => strip.back(turns.changing ? turns.current : null),
  pause: () => pause(!turns.paused),
};

function act(action) {
  if (action in CHOICES) answerPair(turns, action);
  else ACTIONS[action]?.();
}

addEventListener("keydown", (event) => {
  if (event.repeat) return;
  if (event.key === "Escape") {
    if (context.isOpen) context.close();
    else turns.keep();
    return;
  }
  const action = event.key === "Backspace" ? "undo" : actionOf(event);
  if (!action || event.target.closest?.("input, select, textarea")) return;
  event.preventDefault();
  act(action);
});

watchButtons(act);
at("go-on").addEventListener("click", () => pause(false));
at("candidate").addEventListener("click", () => act("context"));

watchSwipes(
  at("faces"),
  (direction, share) => {
    work.dataset.swipe = direction ?? "";
    work.dataset.far = share >= 1;
  },
  (direction) => answerPair(turns, SWIPES[direction]),
);

turns.start();
