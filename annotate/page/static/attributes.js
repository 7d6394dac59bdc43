// The page of attributes: turn a head beside the face, say what is drawn, next.

import { Head, wrapped } from "./head.js";
import { isDoubled, say } from "./page.js";
import { Turns } from "./turns.js";

const by = (id) => document.getElementById(id);
const form = by("work");
const head = new Head(by("head"));
const LIMITS = { yaw: 180, pitch: 90, roll: 180 };
const STEP = 5;
const DEGREES_A_PIXEL = 0.5;

const PRESETS = [
  ["Profile to the left", "A", { yaw: -90, pitch: 0, roll: 0 }],
  ["Three-quarter view to the left", "S", { yaw: -45, pitch: 0, roll: 0 }],
  ["From the front", "D", { yaw: 0, pitch: 0, roll: 0 }],
  ["Three-quarter view to the right", "G", { yaw: 45, pitch: 0, roll: 0 }],
  ["Profile to the right", "H", { yaw: 90, pitch: 0, roll: 0 }],
];

// What a key changes, in steps of five degrees; of one degree with Shift.
const TURNS = {
  ArrowLeft: ["yaw", -1],
  ArrowRight: ["yaw", 1],
  ArrowDown: ["pitch", -1],
  ArrowUp: ["pitch", 1],
  q: ["roll", -1],
  e: ["roll", 1],
  ",": ["roll", -1],
  ".": ["roll", 1],
};

const OCCLUSIONS = { 1: "none", 2: "part", 3: "most" };
const GENDERS = { f: "female", m: "male", o: "other", n: "" };

/** The picture of the face; the whole picture may be shown in its place. */
let face = null;
let pose = { ...PRESETS[2][2] };

function turn(change) {
  pose = { ...pose, ...change };
  pose.yaw = wrapped(Math.round(pose.yaw));
  pose.roll = wrapped(Math.round(pose.roll));
  pose.pitch = Math.max(-LIMITS.pitch, Math.min(LIMITS.pitch, Math.round(pose.pitch)));
  head.show(pose);
  for (const [name, degrees] of Object.entries(pose)) {
    by(name).value = degrees;
    by(`${name}-shown`).textContent = `${degrees}°`;
  }
}

function choose(name, value) {
  const wanted = [...form.elements[name]].find((each) => each.value === value);
  if (wanted) wanted.checked = true;
}

function described() {
  return {
    ...pose,
    gender: form.elements.gender.value || null,
    occlusion: form.elements.occlusion.value,
    cannot_tell: false,
  };
}

const turns = new Turns("attributes", {
  pictures: (task) => [task.face],
  waiting: {
    nothing: [
      "Nothing to describe",
      "Faces come here once people have confirmed who they are. The page looks for more " +
        "by itself.",
    ],
  },
  compared: () => [face],
  show(task, said) {
    form.hidden = false;
    by("nothing").hidden = true;
    by("who").textContent = task.character;
    by("album").textContent = task.album;
    face = turns.queue.image(task.face, `A face of ${task.character}`);
    showPicture(face);
    by("whole").setAttribute("aria-pressed", "false");
    const known = task.proposals.gender;
    by("proposal").hidden = !known;
    const start = said && !said.cannot_tell ? said : { yaw: 0, pitch: 0, roll: 0 };
    turn({ yaw: start.yaw, pitch: start.pitch, roll: start.roll });
    choose("occlusion", start.occlusion ?? "none");
    choose("gender", (start.occlusion ? start.gender : known) ?? "");
    by("back").disabled = !turns.canGoBack;
    say(`${task.character} of ${task.album}`);
  },
  missing: () =>
    turns.tell("The picture is not there yet. If it does not come: No answer."),
  wait() {
    form.hidden = true;
    by("nothing").hidden = false;
  },
});

const store = () => turns.answer(described());
const cannot = () => turns.answer({ cannot_tell: true }, []);

function showPicture(picture) {
  form.querySelector(".seen img").replaceWith(picture);
}

function showWhole() {
  const whole = by("whole").getAttribute("aria-pressed") !== "true";
  by("whole").setAttribute("aria-pressed", String(whole));
  const words = "The whole picture, the face boxed";
  showPicture(whole ? turns.queue.image(turns.current.context, words) : face);
}

// --- the head under a finger or the mouse -------------------------------------------

let held = null;

by("head").addEventListener("pointerdown", (event) => {
  held = { x: event.clientX, y: event.clientY, ...pose };
  by("head").setPointerCapture(event.pointerId);
  by("head").classList.add("held");
});

by("head").addEventListener("pointermove", (event) => {
  if (!held) return;
  turn({
    yaw: held.yaw + (event.clientX - held.x) * DEGREES_A_PIXEL,
    pitch: held.pitch - (event.clientY - held.y) * DEGREES_A_PIXEL,
  });
});

// Else the browser takes a quick turn for a fling, and swallows the tap that follows.
by("head").addEventListener("touchstart", (event) => event.preventDefault(), {
  passive: false,
});

for (const name of ["pointerup", "pointercancel"]) {
  by("head").addEventListener(name, () => {
    held = null;
    by("head").classList.remove("held");
  });
}

// --- keys and buttons ---------------------------------------------------------------

const KEYS = { enter: store, u: cannot, z: () => turns.back(), c: showWhole };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || form.hidden) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // A slider or a choice that was reached by keyboard has its own arrow keys.
  const own = event.target.matches("input") && key.startsWith("Arrow");
  if (key in TURNS && !own) {
    const [name, sign] = TURNS[key];
    turn({ [name]: pose[name] + sign * (event.shiftKey ? 1 : STEP) });
    event.preventDefault();
  }
  // Only turning goes on while a key is held down.
  if (event.repeat) return;
  const preset = PRESETS.find(([, letter]) => letter.toLowerCase() === key);
  if (preset) turn(preset[2]);
  else if (key in OCCLUSIONS) choose("occlusion", OCCLUSIONS[key]);
  else if (key in GENDERS) choose("gender", GENDERS[key]);
  else if (key.toLowerCase() in KEYS) {
    // Enter on a button is a click on it.
    if (key === "Enter" && event.target.matches("button, a")) return;
    event.preventDefault();
    KEYS[key.toLowerCase()]();
  }
}

document.addEventListener("keydown", onKey);

// What was clicked keeps no keys from the head; what was reached by keyboard does.
let pointed = false;
addEventListener("pointerdown", () => (pointed = true), true);
addEventListener("keydown", () => (pointed = false), true);
for (const name of ["click", "change"]) {
  form.addEventListener(name, (event) => {
    if (pointed && event.target.matches("input")) event.target.blur();
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  store();
});
by("store").addEventListener("click", (event) => {
  if (isDoubled(event)) event.preventDefault();
});
by("cannot").addEventListener("click", (event) => isDoubled(event) || cannot());
by("back").addEventListener("click", () => turns.back());
by("whole").addEventListener("click", showWhole);
for (const name of Object.keys(LIMITS)) {
  by(name).addEventListener("input", (event) => turn({ [name]: +event.target.value }));
}

for (const [label, letter, preset] of PRESETS) {
  const button = document.createElement("button");
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const key = document.createElement("kbd");
  key.textContent = letter;
  drawn.classList.add("head");
  new Head(drawn).show(preset);
  button.type = "button";
  button.className = "button";
  button.setAttribute("aria-label", label);
  button.append(drawn, key);
  button.addEventListener("click", () => turn(preset));
  by("presets").append(button);
}

turn({});
turns.start();
