// Grids: tap all that are not the character; one key for "the rest are".

import { actionOf, isDoubled, say } from "./page.js";
import { Context } from "./context.js";
import { shownKey } from "./pair.js";
import { Progress } from "./progress.js";
import { isSettled } from "./sight.js";
import { Turns } from "./turns.js";

const at = (id) => document.getElementById(id);
const work = at("work");
const context = new Context(at("context"));
const progress = new Progress(at("progress"), "grid-progress");
let columns = 4;

const turns = new Turns("grid", {
  ahead: 3,
  preloaded: 2,
  pictures: (task) => [...task.references, ...task.tiles.map((tile) => tile.candidate)],
  handles: (task) => task.tiles.map((tile) => tile.id),
  waiting: {
    nothing: [
      "No grid for now",
      "Grids appear here when many faces are probably one character. " +
        "Try pairs meanwhile.",
    ],
    offline: ["No connection", "Grids come when it is back."],
  },
  compared: () => [...work.querySelectorAll("#references img, #tiles img")],
  // A face that cannot be seen is unsure.
  is: isSettled,
  show(task, choices) {
    at("asked").textContent = task.character;
    at("album").textContent = task.album;
    const name = `${task.character}, for comparison`;
    at("references").replaceChildren(
      ...task.references.map((url) => turns.queue.image(url, name)),
    );
    columns = columnsFor(task.tiles.length);
    at("tiles").style.setProperty("--columns", columns);
    at("tiles").style.setProperty("--rows", Math.ceil(task.tiles.length / columns));
    at("tiles").replaceChildren(
      ...task.tiles.map((each, place) => tile(each, place, choices?.[each.id])),
    );
    count();
    say(`Mark all that are not ${task.character} of ${task.album}.`);
    tiles()[0].focus({ preventScroll: true });
  },
  missing: () => say("The pictures are not there yet."),
  answers: (task, choices) =>
    task.tiles.map(({ id }) => ({ id, answer: { choice: choices[id] } })),
  kept(task, choices, seconds) {
    context.close();
    if (!turns.changing) progress.add(task.tiles.length, seconds);
  },
});

// --- showing ------------------------------------------------------------------------

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
  made.append(turns.queue.image(each.candidate, ""));
  made.dataset.place = place + 1;
  // Nobody says that a face is somebody which cannot be seen.
  const isMissing = made.firstChild.classList.contains("missing");
  mark(made, choice ?? (isMissing ? "unsure" : "true"));
  made.firstChild.addEventListener("error", () => {
    if (made.dataset.choice === "true") toggle(made, "unsure");
  });
  made.addEventListener("click", () => {
    // Safari gives the focus to no button that is clicked.
    made.focus();
    toggle(made, "false");
  });
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
  if (turns.storing) return;
  mark(made, made.dataset.choice === choice ? "true" : choice);
  count();
}

function count() {
  const marked = tiles().filter((each) => each.dataset.choice !== "true").length;
  const rest = tiles().length - marked;
  at("rest-says").textContent = marked
    ? `The other ${rest} are`
    : `All ${rest} are ${turns.current.character}`;
}

const tiles = () => [...at("tiles").children];

/** Answer for all tiles of the grid, as one. */
function finish() {
  const said = tiles().map(({ dataset }) => [dataset.handle, dataset.choice]);
  turns.answer(Object.fromEntries(said));
}

function pause(wanted) {
  context.close();
  turns.pause(wanted);
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
    if (turns.current && made) context.toggle(made.dataset.context);
  },
  undo() {
    context.close();
    turns.back();
  },
  pause: () => pause(!turns.paused),
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
  if (event.key in STEPS && turns.current) {
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
    else turns.keep();
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

turns.start();
