// The choices of a pair, and the keys that make them.

import { isDoubled, keys } from "./page.js";

/** What is compared, as the ids of where it is shown. */
export const COMPARED = ["candidate", "reference"];

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

/** The action of a choice that the server knows. */
export function actionOfChoice(choice) {
  return Object.keys(CHOICES).find((action) => CHOICES[action].choice === choice);
}

/** The pictures in some places; a reference that is asked about has none beside it. */
export function picturesIn(ids) {
  return ids.flatMap((id) => [...document.getElementById(id).children]);
}

/** What is asked about a pair. */
export function questionOf(task) {
  return task.alone
    ? `Is this a good picture of ${task.character}?`
    : `Is this ${task.character}?`;
}

/** Give the button of a choice the words that it has for a pair; null: none. */
export function label(button, task) {
  const { says, alone } = CHOICES[button.dataset.action];
  const words = task.alone ? alone : says;
  button.hidden = words === null;
  button.querySelector("span").textContent = words ?? "";
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
