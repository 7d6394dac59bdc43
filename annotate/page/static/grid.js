// Grids: tap all that are not the character; one key for "the rest are".

import { actionOf, isDoubled, say } from "./page.js";
import { Context } from "./context.js";
import { shownKey } from "./pair_keys.js";
import { Progress } from "./progress.js";
import { Stopwatch } from "./stopwatch.js";
import { TaskQueue } from "./task_queue.js";
import { outbox } from "./outbox.js";
import { showBanner } from "./outbox_banner.js";
import { areSettled, whenSettled } from "./sight.js";

const at = (id) => document.getElementById(id);
const work = at("work");
const watch = new Stopwatch();
const context = new Context(at("context"));
const progress = new Progress(at("progress"), "grid-progress");
const queue = new TaskQueue("grid", {
  ahead: 3,
  preloaded: 2,
  pictures: (task) => [...task.references, ...task.tiles.map((tile) => tile.candidate)],
  handles: (task) => task.tiles.map((tile) => tile.id),
});

let current = null;
// The last grid with its answers, and whether it is being changed.
let last = null;
let changing = false;
let storing = false;
let paused = false;
let shown = 0;
let stored = 0;
let columns = 4;

// --- showing ------------------------------------------------------------------------

function showNext() {
  changing = false;
  current = queue.next();
  if (current) show(current, {});
  else wait();
}

function show(task, choices) {
  work.dataset.state = changing ? "changing" : "asking";
  at("asked").textContent = task.character;
  at("album").textContent = task.album;
  const name = `${task.character}, for comparison`;
  at("references").replaceChildren(
    ...task.references.map((url) => queue.image(url, name)),
  );
  columns = columnsFor(task.tiles.length);
  at("tiles").style.setProperty("--columns", columns);
  at("tiles").style.setProperty("--rows", Math.ceil(task.tiles.length / columns));
  at("tiles").replaceChildren(
    ...task.tiles.map((each, place) => tile(each, place, choices[each.id])),
  );
  count();
  shown += 1;
  const number = shown;
  whenSettled(
    pictures(),
    () => number === shown && watch.start(),
    () => number === shown && (work.dataset.shown = shown),
  );
  say(`Mark all that are not ${task.character} of ${task.album}.`);
  tiles()[0].focus({ preventScroll: true });
}

function columnsFor(tiles) {
  if (tiles <= 4) return 2;
  return tiles <= 9 ? 3 : 4;
}

function tile(each, place, choice) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "tile";
  made.dataset.handle = each.id;
  made.dataset.context = each.context;
  made.tabIndex = place === 0 ? 0 : -1;
  made.append(queue.image(each.candidate, ""));
  made.dataset.place = place + 1;
  mark(made, choice ?? "true");
  // Nobody says that a face is somebody which cannot be seen.
  made.firstChild.addEventListener("error", () => {
    if (made.dataset.choice === "true") toggle(made, "unsure");
  });
  made.addEventListener("click", () => toggle(made, "false"));
  made.addEventListener("focus", () => {
    for (const other of tiles()) other.tabIndex = other === made ? 0 : -1;
  });
  return made;
}

/** What is said of a marked face beside that it is marked. */
const SAID = { unsure: ", unsure", not_a_face: ", no face" };

function mark(made, choice) {
  made.dataset.choice = choice;
  made.firstChild.alt = `face ${made.dataset.place}${SAID[choice] ?? ""}`;
  made.setAttribute("aria-pressed", String(choice !== "true"));
}

function toggle(made, choice) {
  if (storing) return;
  mark(made, made.dataset.choice === choice ? "true" : choice);
  count();
}

function count() {
  const marked = tiles().filter((each) => each.dataset.choice !== "true").length;
  const rest = tiles().length - marked;
  at("rest-says").textContent = marked
    ? `The other ${rest} are`
    : `All ${rest} are ${current.character}`;
}

const tiles = () => [...at("tiles").children];
/** Those that are compared. */
const pictures = () => [...work.querySelectorAll("#references img, #tiles img")];

const WAITING = {
  nothing: [
    "No grid for now",
    "Grids appear here when many faces are probably one character. Try pairs meanwhile.",
  ],
  offline: ["No connection", "Grids come when it is back."],
};

function wait() {
  current = null;
  changing = false;
  queue.sayWhy(WAITING);
}

// --- answering ----------------------------------------------------------------------

/** Store all tiles of the grid, as one. */
async function finish() {
  const task = current;
  if (!task || storing || paused) return;
  if (!areSettled(pictures())) {
    say("The pictures are not there yet.");
    return;
  }
  storing = true;
  const total = watch.read();
  const seconds = total / task.tiles.length;
  const choices = Object.fromEntries(
    tiles().map((each) => [each.dataset.handle, each.dataset.choice]),
  );
  try {
    await outbox.put(
      task.tiles.map(({ id }) => ({ id, answer: { choice: choices[id] }, seconds })),
    );
  } catch {
    say("The answers could not be kept; try again.");
    at("trouble").hidden = false;
    return;
  } finally {
    storing = false;
  }
  at("trouble").hidden = true;
  context.close();
  stored += 1;
  work.dataset.stored = stored;
  if (!changing) progress.add(task.tiles.length, total);
  last = { task, choices };
  queue.done(task);
  showNext();
}

/** Show the last grid again, as it was answered. */
function undo() {
  if (storing || paused || !last || changing) return;
  if (current) queue.putBack(current);
  context.close();
  changing = true;
  current = last.task;
  show(current, last.choices);
}

function pause(wanted) {
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

// --- keys and buttons ---------------------------------------------------------------

/** The tile that was reached or marked last. */
const reached = () => tiles().find((each) => each.tabIndex === 0);
/** The tile that keys mark: it has the focus, or its whole picture is shown. */
const focused = () =>
  context.isOpen ? reached() : tiles().find((each) => each === document.activeElement);

const ACTIONS = {
  context: () => {
    const made = focused() ?? reached();
    if (current && made)
      context.toggle(made.dataset.context, "the whole picture, the face boxed");
  },
  undo,
  pause: () => pause(!paused),
  different: () => focused() && toggle(focused(), "false"),
  unsure: () => focused() && toggle(focused(), "unsure"),
  not_a_face: () => focused() && toggle(focused(), "not_a_face"),
};

const STEPS = {
  ArrowRight: () => 1,
  ArrowLeft: () => -1,
  ArrowDown: () => columns,
  ArrowUp: () => -columns,
};

function move(step) {
  const all = tiles();
  const from = Math.max(0, all.indexOf(focused()));
  all[Math.min(all.length - 1, Math.max(0, from + step))]?.focus();
}

addEventListener("keydown", (event) => {
  if (event.key in STEPS && current) {
    event.preventDefault();
    move(STEPS[event.key]());
    return;
  }
  if (event.repeat) {
    // A key that is held down marks nothing and answers nothing.
    if (event.key === "Enter" || event.key === " ") event.preventDefault();
    return;
  }
  if (event.key === "Escape") {
    if (context.isOpen) context.close();
    else if (changing) showNext();
    return;
  }
  const isButton = event.target.closest?.("button:not(.tile), a");
  if (event.key === "Enter" && !isButton) {
    event.preventDefault();
    finish();
    return;
  }
  const action = event.key === "Backspace" ? "undo" : actionOf(event);
  if (!action || !(action in ACTIONS)) return;
  event.preventDefault();
  ACTIONS[action]();
});

for (const button of document.querySelectorAll("[data-action]")) {
  button.querySelector("kbd").textContent = shownKey(button.dataset.action);
  button.addEventListener("click", () => ACTIONS[button.dataset.action]());
}
at("rest").addEventListener("click", (event) => isDoubled(event) || finish());
at("go-on").addEventListener("click", () => pause(false));
at("keys").textContent =
  `Arrows move, space marks; ${shownKey("unsure")} unsure, ` +
  `${shownKey("not_a_face")} no face.`;

queue.addEventListener("change", () => {
  if (paused || changing || current) return;
  if (queue.length) showNext();
  else wait();
});
queue.addEventListener("renewed", () => {
  if (!paused) wait();
});
showBanner(at("banner"));
wait();
queue.start();
