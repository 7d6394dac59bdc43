// Review: settle what people contradict each other about, and what the filter suspects.

import { actionOf, get, say } from "./page.js";
import { Context } from "./context.js";
import {
  CHOICES,
  answerPair,
  compared,
  fill,
  picturesOf,
  showPair,
  watchButtons,
} from "./pair.js";
import { Strip } from "./strip.js";
import { Turns } from "./turns.js";

const at = (id) => document.getElementById(id);
const work = at("work");
const context = new Context(at("context"));
const COUNTED = 5000;

const PARTS = {
  audit: "Audit",
  conflict: "Conflicts",
  merge: "Merges",
  twin: "Twins",
  split: "Splits",
  outlier: "Outliers",
};

const WHY = {
  audit: () =>
    "Of an audit of the labels: two answers differ. Yours decides; what you are unsure of " +
    "counts as a wrong label.",
  conflict: ({ votes }) =>
    Object.keys(votes).length > 1
      ? "People contradict each other. Your answer settles it."
      : "What people answered contradicts what is known of other faces, such as those of " +
        "the same picture. Your answer settles it.",
  merge: ({ character, own }) =>
    `${character} and ${own?.character ?? "another character"} look like one. ` +
    "“Same” merges them when icf-filter review --apply is run.",
  twin: ({ own }) =>
    `Filed under ${own?.character ?? "another character"}, ` +
    "and nearly the same drawing as one of this character.",
  split: () => "It stands for a group of faces unlike the others of the character.",
  outlier: () => "It is unlike the other faces of the character.",
};

const MISSING = "The picture is not there yet. If it does not come, answer “Unsure”.";

let part = null;

const strip = new Strip(at("strip"), "review-strip", (entry) => turns.change(entry));

const turns = new Turns("review", {
  pictures: picturesOf,
  asks: () => (part ? { part } : {}),
  waiting: {
    nothing: ["Nothing to settle", "What people disagree about appears here by itself."],
  },
  compared,
  show(task, said) {
    showPair(turns.queue, task, said);
    work.dataset.kind = task.kind;
    at("why").textContent = WHY[task.kind](task);
    at("votes").textContent = "";
    fill(turns.queue, "own", task.own?.references ?? [], task.own?.character);
    at("reference-of").textContent = task.character;
    at("own-of").textContent = task.own
      ? `Now: ${task.own.character} of ${task.own.album}`
      : "";
    strip.mark(turns.changing ? task : null);
    say(`${at("asked").textContent} ${at("why").textContent}`);
  },
  missing: () => turns.tell(MISSING),
  wait: () => strip.mark(null),
  kept(task, { choice }) {
    context.close();
    strip.remember(task, choice);
  },
});

/** What others said, without their names; only when one has looked oneself. */
function showVotes() {
  const { votes, score, alone } = turns.current;
  const lines = Object.values(CHOICES)
    .filter(({ choice }) => votes[choice])
    .map(({ choice, says, alone: words }) => {
      const said = ((alone && words) || says).toLowerCase();
      return `${votes[choice]} ${votes[choice] === 1 ? "says" : "say"} “${said}”`;
    });
  if (score !== null) lines.push(`The filter suspects it with a score of ${score.toFixed(2)}.`);
  at("votes").textContent = lines.join(", ") || "Nobody has answered yet.";
}

// --- parts of the queue ---------------------------------------------------------------

function choosePart(name) {
  part = name;
  drawParts();
  turns.renew();
}

let counted = [];

function drawParts() {
  const total = counted.reduce((sum, each) => sum + each.left, 0);
  const all = { name: null, left: total };
  at("parts").replaceChildren(
    ...[all, ...counted].map(({ name, left }) => {
      const button = document.createElement("button");
      const count = document.createElement("b");
      count.textContent = left;
      button.type = "button";
      button.className = "button";
      button.dataset.part = name ?? "all";
      button.setAttribute("aria-pressed", String(part === name));
      button.append(`${name ? PARTS[name] : "All"} `, count);
      button.addEventListener("click", () => choosePart(name));
      return button;
    }),
  );
}

async function countParts() {
  if (document.visibilityState !== "visible") return;
  try {
    counted = (await get("/api/review/parts")).parts;
  } catch {
    // The banner says what is wrong; the counts stay as they are.
    return;
  }
  const focused = document.activeElement?.dataset?.part;
  drawParts();
  if (focused) at("parts").querySelector(`[data-part="${focused}"]`)?.focus();
}

// --- answering ------------------------------------------------------------------------

const ACTIONS = {
  context: () => turns.current && context.toggle(turns.current.context),
  undo: () => strip.back(turns.changing ? turns.current : null),
  votes: () => turns.current && showVotes(),
};

function act(action) {
  if (action in CHOICES) answerPair(turns, action);
  else ACTIONS[action]?.();
}

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (context.isOpen) context.close();
    else turns.keep();
    return;
  }
  const others = { Backspace: "undo", v: "votes", V: "votes" };
  const action = actionOf(event) ?? others[event.key];
  if (!action || !(action in CHOICES || action in ACTIONS)) return;
  event.preventDefault();
  act(action);
});

watchButtons(act);
at("candidate").addEventListener("click", () => act("context"));

setInterval(countParts, COUNTED);
countParts();
turns.start();
