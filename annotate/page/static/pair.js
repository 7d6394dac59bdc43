// A pair: what is shown of it, the choices, and the keys that make them.

import { isDoubled, keys } from "./page.js";

/** What is compared, as the ids of where it is shown. */
const COMPARED = ["candidate", "reference"];

/**
 * By action: what the server stores, what buttons say, a sign, a class of colour, and of
 * what nobody says this before it is there to be seen.
 */
export const CHOICES = {
  same: {
    choice: "true",
    says: "Same",
    alone: "Good picture",
    sign: "✓",
    tone: "yes",
    seen: COMPARED,
  },
  different: {
    choice: "false",
    says: "Different",
    alone: "Not it, or bad",
    sign: "✗",
    tone: "no",
    seen: COMPARED,
  },
  unsure: {
    choice: "unsure",
    says: "Unsure",
    alone: "Unsure",
    sign: "?",
    tone: "unsure",
    seen: [],
  },
  not_a_face: {
    choice: "not_a_face",
    says: "No face",
    alone: "No face",
    sign: "∅",
    tone: "",
    seen: ["candidate"],
  },
  wrong_reference: {
    choice: "wrong_reference",
    says: "Reference wrong",
    // Of a reference itself that is "no".
    alone: null,
    sign: "R",
    tone: "",
    seen: [],
  },
};

const at = (id) => document.getElementById(id);

/** The action of a choice that the server knows. */
export function actionOfChoice(choice) {
  return Object.keys(CHOICES).find((action) => CHOICES[action].choice === choice);
}

/** What of a pair is loaded ahead. */
export const picturesOf = (task) => [task.candidate, ...task.references];

/** The pictures in some places; a reference that is asked about has none beside it. */
const picturesIn = (ids) => ids.flatMap((id) => [...at(id).children]);

/** What is compared, as elements. */
export const compared = () => picturesIn(COMPARED);

/** Show a pair, and what was said of it before. */
export function showPair(queue, task, said) {
  at("work").dataset.alone = task.alone;
  at("asked").textContent = task.alone
    ? `Is this a good picture of ${task.character}?`
    : `Is this ${task.character}?`;
  at("album").textContent = task.album;
  at("candidate").replaceChildren(queue.image(task.candidate, "the face in question"));
  const [first, ...others] = task.references;
  fill(queue, "reference", first ? [first] : [], task.character);
  fill(queue, "others", others, task.character);
  for (const button of at("choices").querySelectorAll("button")) {
    const { choice, says, alone } = CHOICES[button.dataset.action];
    const words = task.alone ? alone : says;
    button.hidden = words === null;
    button.querySelector("span").textContent = words ?? "";
    button.classList.toggle("was", choice === said?.choice);
  }
}

/** Show pictures of a character to compare with. */
export function fill(queue, id, urls, character) {
  const words = `${character}, for comparison`;
  at(id).replaceChildren(...urls.map((url) => queue.image(url, words)));
  at(id).hidden = urls.length === 0;
}

/** Answer the pair that is shown, if what the answer is about can be seen. */
export function answerPair(turns, action) {
  const { choice, alone, seen } = CHOICES[action];
  if (turns.current?.alone && alone === null) return;
  turns.answer({ choice }, picturesIn(seen));
}

/** Have the buttons of the page do what their keys do, which they show. */
export function watchButtons(act) {
  for (const button of document.querySelectorAll("[data-action]")) {
    const { action } = button.dataset;
    const key = shownKey(action);
    if (key) button.querySelector("kbd").textContent = key;
    button.addEventListener("click", (event) => {
      // So that a key that follows is not a click on it as well.
      button.blur();
      if (action in CHOICES && isDoubled(event)) return;
      act(action);
    });
  }
}

/** The key of an action, as people read it. */
export function shownKey(action) {
  return (keys()[action] ?? "").toUpperCase();
}
