// Boxes: is every drawn face in this picture boxed, and well?

import { actionOf, isDoubled, keys, say } from "./page.js";
import { BoxLayer, inWords, lineOf } from "./box_layer.js";
import { BoxModel } from "./box_model.js";
import { Drawing } from "./box_drawing.js";
import { watchPointer } from "./box_pointer.js";
import { Progress } from "./progress.js";
import { Turns } from "./turns.js";
import { Zoom } from "./zoom.js";
import { outbox } from "./outbox.js";

const at = (id) => document.getElementById(id);
const work = at("work");
const stage = at("stage");
const { task: name } = work.dataset;
const progress = new Progress(at("progress"), `${name}-progress`);
const zoom = new Zoom(stage);
const layer = new BoxLayer(at("layer"), zoom);
const drawing = new Drawing();

/** What arrow keys move, one after the other. */
const PARTS = ["whole", "nw", "se"];
const PART_NAMES = { whole: "the box", nw: "its upper left corner", se: "its lower right corner" };

let model = null;
let picture = null;
let part = "whole";

const turns = new Turns(name, {
  preloaded: 2,
  pictures: (task) => [task.picture],
  isBegun,
  waiting: {
    nothing: ["Nothing left for now", "New pictures appear here by themselves. Thank you."],
    offline: ["No connection", "Pictures come when it is back."],
  },
  compared: () => [picture],
  show,
  missing: () => tell("The picture is not there yet. If it does not come: Cannot tell."),
  wait: () => (model = null),
  kept(task, value, seconds) {
    if (!turns.changing) progress.add(1, seconds);
    // It was begun before a long absence, so that nothing is asked for since then.
    if (turns.queue.isStopped) outbox.allSent().then(() => turns.queue.start());
  },
});

// --- showing ------------------------------------------------------------------------

/** Show a picture, with the boxes that were proposed or answered before. */
function show(task, said) {
  const boxes = said?.boxes ?? task.proposals;
  // Nothing is drawn until all of it is there.
  model = null;
  drawing.cancel();
  zoom.reset(task.width, task.height);
  model = new BoxModel(task.width, task.height, boxes);
  part = "whole";
  model.addEventListener("change", () => {
    draw();
    layer.focus(model.chosen);
  });
  picture = turns.queue.image(task.picture, "");
  picture.className = "picture";
  at("picture").replaceChildren(picture);
  showPeople(task);
  draw();
  layer.focus(-1);
  const words = turns.changing ? "Your last answer again: change it." : counted(boxes.length);
  say(`${at("asked").textContent} ${words}`);
}

/** Whether something was drawn or changed that would have to be done again. */
function isBegun() {
  return Boolean(model?.isChanged || drawing.points.length);
}

function counted(number) {
  if (number === 0) return "No box yet.";
  return number === 1 ? "1 box." : `${number} boxes.`;
}

function draw() {
  if (!model) return;
  const [left, top] = zoom.corner;
  picture.style.width = `${model.width * zoom.rate}px`;
  picture.style.height = `${model.height * zoom.rate}px`;
  picture.style.transform = `translate(${left}px, ${top}px)`;
  layer.draw(model, drawing.points, drawing.pointer, turns.current.people ?? []);
  at("list").replaceChildren(...model.boxes.map(listed));
  at("count").textContent = counted(model.boxes.length);
  work.dataset.boxes = JSON.stringify(model.boxes);
  work.dataset.drawing = drawing.on || drawing.points.length > 0;
  at("hint").textContent = hint();
  for (const button of document.querySelectorAll("[data-way]"))
    button.setAttribute("aria-pressed", String(button.dataset.way === drawing.way));
  button("draw").setAttribute("aria-pressed", String(drawing.on));
  button("delete").disabled = model.chosen < 0;
}

function hint() {
  const { way, left, points } = drawing;
  if (drawing.on || points.length) {
    const words =
      way === "corners"
        ? ["", "Click the opposite corner.", "Click two opposite corners of the face."]
        : "Click its top, left, bottom and right, in any order:";
    return way === "corners" ? words[left] : `${words} ${left} to go.`;
  }
  if (model.chosen >= 0 && part !== "whole") return `Arrow keys move ${PART_NAMES[part]}.`;
  return "";
}

/** A box as text, with a button that deletes it. */
function listed(box, place) {
  const item = document.createElement("li");
  item.classList.toggle("chosen", place === model.chosen);
  const choose = document.createElement("button");
  choose.type = "button";
  choose.className = "listed";
  choose.textContent = inWords(box, place);
  choose.addEventListener("click", () => {
    model.choose(place);
    zoom.show(box);
  });
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "remove";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Delete face ${place + 1}`);
  remove.addEventListener("click", () => model.remove(place));
  item.append(choose, remove);
  return item;
}

/** Of a disputed picture: what each person drew, to begin with. */
function showPeople(task) {
  const place = at("people");
  place.hidden = !task.people;
  if (!task.people) return;
  const buttons = task.people.map((boxes, person) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button person";
    made.append(`${person + 1}`, lineOf(person), `${boxes.length}`);
    made.setAttribute("aria-label", `Take what person ${person + 1} drew: ${counted(boxes.length)}`);
    made.addEventListener("click", () => take(person));
    return made;
  });
  const cannot = document.createElement("p");
  cannot.className = "quiet small";
  cannot.textContent = task.cannot_tell ? `${task.cannot_tell} could not tell.` : "";
  at("people-buttons").replaceChildren(...buttons, cannot);
}

// --- answering ----------------------------------------------------------------------

function accept() {
  if (drawing.points.length) return tell("A box is not finished: Escape drops it.");
  const twins = model.twins();
  if (!twins) return turns.answer({ verdict: "boxed", boxes: model.boxes });
  model.choose(twins[1]);
  tell(`Boxes ${twins[0] + 1} and ${twins[1] + 1} are the same: delete one.`);
}

function tell(words) {
  at("hint").textContent = words;
  say(words);
}

// --- drawing ------------------------------------------------------------------------

function drawn(box) {
  if (!model.add(box)) tell("That box is too small, or there already.");
}

/** A box in the middle of what is seen, for those who use keys alone. */
function addInMiddle() {
  const { left, top, width, height } = stage.getBoundingClientRect();
  const corner = (share) => zoom.toPicture(left + width * share, top + height * share);
  const side = Math.min(corner(0.6)[0] - corner(0.4)[0], corner(0.6)[1] - corner(0.4)[1]);
  const [x, y] = corner(0.5);
  drawn([x - side / 2, y - side / 2, x + side / 2, y + side / 2]);
}

function nudge(dx, dy) {
  const box = model.boxes[model.chosen];
  model.move(box, part, dx, dy, "nudge");
}

function nextPart() {
  part = PARTS[(PARTS.indexOf(part) + 1) % PARTS.length];
  draw();
  say(`Arrow keys move ${PART_NAMES[part]}.`);
}

function undo() {
  if (drawing.back()) return;
  if (drawing.on) drawing.cancel();
  else if (!model?.undo()) turns.back();
}

function take(person) {
  const boxes = turns.current?.people?.[person];
  if (!boxes) return;
  model.replace(boxes);
  say(`What person ${person + 1} drew: ${counted(boxes.length)}`);
}

// --- keys and buttons ---------------------------------------------------------------

const ACTIONS = {
  accept,
  cannot_tell: () => turns.answer({ verdict: "cannot_tell", boxes: [] }, []),
  undo,
  draw: () => drawing.turn(!drawing.on),
  delete: () => model.remove(),
  middle: addInMiddle,
  part: nextPart,
  bigger: () => zoom.zoomInMiddle(1.5),
  smaller: () => zoom.zoomInMiddle(1 / 1.5),
  fit: () => zoom.fit(),
  way: () => drawing.choose(drawing.way === "corners" ? "extremes" : "corners"),
};

/** The actions that answer. */
const ANSWERS = ["accept", "cannot_tell"];
/** Keys that people cannot choose; those that they chose come before. */
const FIXED = {
  Enter: "accept",
  Delete: "delete",
  Backspace: "delete",
  d: "draw",
  a: "middle",
  c: "part",
  x: "way",
  "+": "bigger",
  "=": "bigger",
  "-": "smaller",
  0: "fit",
};
/** By the action that people chose a key for. */
const CHOSEN = { same: "accept", unsure: "cannot_tell", undo: "undo" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const button = (action) => document.querySelector(`[data-action="${action}"]`);

function act(action) {
  if (model || action === "undo") ACTIONS[action]();
}

function arrow(event) {
  const [dx, dy] = ARROWS[event.key];
  const far = event.shiftKey ? 10 : 1;
  if (model.chosen >= 0) nudge(dx * far, dy * far);
  else if (zoom.zoomed) zoom.pan(-dx * 40, -dy * 40);
  else return;
  event.preventDefault();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, select, textarea")) return;
  if (event.key in ARROWS) return void (model && arrow(event));
  if (event.repeat) return;
  // Enter on a button is a click on it.
  if (event.key === "Enter" && event.target.closest?.("button, a, summary")) return;
  if (event.key === "Escape") return escape();
  if (/^[1-9]$/.test(event.key) && turns.current?.people) return take(Number(event.key) - 1);
  const action = CHOSEN[actionOf(event)] ?? FIXED[event.key] ?? FIXED[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  act(action);
});

function escape() {
  if (drawing.on || drawing.points.length) drawing.cancel();
  else if (model) model.choose(-1);
}

for (const each of document.querySelectorAll("[data-action]")) {
  const { action } = each.dataset;
  const chosen = Object.keys(CHOSEN).find((one) => CHOSEN[one] === action);
  const sign = each.querySelector("kbd");
  if (sign && chosen) sign.textContent = (keys()[chosen] ?? "").toUpperCase();
  each.addEventListener("click", (event) => {
    // So that a key that follows is not a click on it as well.
    each.blur();
    if (ANSWERS.includes(action) && isDoubled(event)) return;
    act(action);
  });
}
for (const each of document.querySelectorAll("[data-way]"))
  each.addEventListener("click", () => {
    each.blur();
    drawing.choose(each.dataset.way);
  });

// Whoever comes to a box by Tab has chosen it. Listened to here, because Chromium gives
// the focus to a drawing that listens itself.
stage.addEventListener("focusin", (event) => {
  const place = layer.placeOf(event.target.closest(".box"));
  if (!model || place < 0 || place === model.chosen) return;
  model.choose(place);
  zoom.show(model.boxes[place]);
});

watchPointer(stage, { model: () => model, layer, zoom, drawing, drawn });
zoom.addEventListener("change", draw);
drawing.addEventListener("change", draw);
addEventListener("beforeunload", (event) => isBegun() && event.preventDefault());
turns.start();
