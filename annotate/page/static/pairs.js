// Pairs: is this face this character? One key an answer.

import { actionOf, say } from "./page.js";
import { Context } from "./context.js";
import {
  CHOICES,
  COMPARED,
  label,
  picturesIn,
  questionOf,
  watchButtons,
} from "./pair_keys.js";
import { Progress } from "./progress.js";
import { areMissing, areSeen, whenSeen } from "./sight.js";
import { Stopwatch } from "./stopwatch.js";
import { Strip } from "./strip.js";
import { TaskQueue } from "./task_queue.js";
import { outbox } from "./outbox.js";
import { showBanner } from "./outbox_banner.js";
import { watchSwipes } from "./swipe.js";

const AHEAD = 12;
const PRELOADED = 5;
const SWIPES = { right: "same", left: "different", up: "unsure" };

const at = (id) => document.getElementById(id);
const work = at("work");
const watch = new Stopwatch();
const context = new Context(at("context"));
const progress = new Progress(at("progress"), "pairs-progress");
const strip = new Strip(at("strip"), "pairs-strip", change);
const queue = new TaskQueue("pairs", {
  ahead: AHEAD,
  preloaded: PRELOADED,
  pictures: (task) => [task.candidate, ...task.references],
});

let current = null;
// What is shown was answered before, and is being changed.
let changing = false;
let storing = false;
let paused = false;
let shown = 0;
let stored = 0;

// --- showing ------------------------------------------------------------------------

function showNext() {
  changing = false;
  current = queue.next();
  countAhead();
  if (current) show(current);
  else wait();
}

/** Say how many can be answered without a network after the one that is shown. */
function countAhead() {
  work.dataset.ahead = queue.loaded;
}

function show(task) {
  work.dataset.state = changing ? "changing" : "asking";
  work.dataset.alone = task.alone;
  at("asked").textContent = questionOf(task);
  at("album").textContent = task.album;
  at("candidate").replaceChildren(
    queue.image(task.candidate, "the face in question"),
  );
  const [first, ...others] = task.references;
  const name = `${task.character}, for comparison`;
  at("reference").replaceChildren(...(first ? [queue.image(first, name)] : []));
  at("others").replaceChildren(...others.map((url) => queue.image(url, name)));
  at("others").hidden = others.length === 0;
  for (const button of at("choices").querySelectorAll("button")) label(button, task);
  strip.mark(changing ? task : null);
  shown += 1;
  watch.start();
  const number = shown;
  whenSeen(
    picturesIn(COMPARED),
    () => number === shown && see(),
    () => number === shown && (work.dataset.seen = shown),
  );
  const words = changing ? "Change this answer. " : "";
  say(`${words}${at("asked").textContent} ${task.album}`);
}

/** The face and the reference can be seen: the time runs from here. */
function see() {
  watch.start();
  restartPace();
}

/** The mark that is full after a second starts anew; it never answers. */
function restartPace() {
  const mark = at("pace").firstElementChild;
  mark.replaceWith(mark.cloneNode());
}

const WAITING = {
  nothing: [
    "Nothing left for now",
    "New questions appear here by themselves. Thank you.",
  ],
  offline: ["No connection", "Questions come when it is back."],
};

function wait() {
  current = null;
  changing = false;
  queue.sayWhy(WAITING);
  strip.mark(null);
}

// --- answering ----------------------------------------------------------------------

async function answer(action) {
  const task = current;
  if (!task || storing || paused) return;
  const { choice, alone, seen } = CHOICES[action];
  if (task.alone && alone === null) return;
  if (!areSeen(picturesIn(seen))) {
    if (areMissing(picturesIn(seen))) say("The picture is not there yet.");
    return;
  }
  storing = true;
  const seconds = watch.read();
  try {
    await outbox.put([{ id: task.id, answer: { choice }, seconds }]);
  } catch {
    // The disk is full, or the browser took it away: it is asked again.
    say("The answer could not be kept; try again.");
    at("trouble").hidden = false;
    return;
  } finally {
    storing = false;
  }
  at("trouble").hidden = true;
  context.close();
  stored += 1;
  work.dataset.stored = stored;
  if (!changing) progress.add(1, seconds);
  strip.remember(task, choice);
  queue.done(task);
  showNext();
}

/** Show an answer of the strip again, with what comes next after it. */
function change(entry) {
  if (storing || paused || !entry) return;
  if (current && !changing) queue.putBack(current);
  context.close();
  changing = true;
  current = entry.task;
  show(entry.task);
  for (const button of at("choices").querySelectorAll("button"))
    button.classList.toggle(
      "was",
      CHOICES[button.dataset.action].choice === entry.choice,
    );
}

/** Leave an earlier answer as it is. */
function keep() {
  if (changing) showNext();
}

// --- pausing ------------------------------------------------------------------------

function pause(wanted) {
  if (wanted === paused) return;
  paused = wanted;
  watch.pause(paused);
  if (paused) {
    context.close();
    current = null;
    changing = false;
    work.dataset.state = "paused";
    queue.stop();
    say("Paused");
    at("go-on").focus();
  } else {
    wait();
    queue.start();
  }
}

// --- keys, buttons, thumbs ----------------------------------------------------------

const ACTIONS = {
  context: () =>
    current && context.toggle(current.context, "the whole picture, the face boxed"),
  undo: () => change(strip.before(changing ? current : null)),
  pause: () => pause(!paused),
};

function act(action) {
  if (action in CHOICES) answer(action);
  else ACTIONS[action]?.();
}

addEventListener("keydown", (event) => {
  if (event.repeat) return;
  if (event.key === "Escape") {
    if (context.isOpen) context.close();
    else keep();
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
  (direction) => answer(SWIPES[direction]),
);

queue.addEventListener("change", () => {
  if (paused || changing) return;
  if (!current && queue.length) showNext();
  else if (!current) wait();
});
queue.addEventListener("loaded", countAhead);
queue.addEventListener("renewed", () => {
  if (!paused) wait();
});
showBanner(at("banner"));
wait();
queue.start();
