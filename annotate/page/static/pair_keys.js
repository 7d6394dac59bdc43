// The choices of a pair, and the keys that make them.

import { keys } from "./page.js";

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

/** The key of an action, as people read it. */
export function shownKey(action) {
  return (keys()[action] ?? "").toUpperCase();
}
