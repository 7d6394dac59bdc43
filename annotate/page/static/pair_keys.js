// The choices of a pair, and the keys that make them.

import { keys } from "./page.js";

/** By action: what the server stores, what buttons say, a sign, a class of colour. */
export const CHOICES = {
  same: { choice: "true", says: "Same", alone: "Good picture", sign: "✓", tone: "yes" },
  different: {
    choice: "false",
    says: "Different",
    alone: "Not it, or bad",
    sign: "✗",
    tone: "no",
  },
  unsure: { choice: "unsure", says: "Unsure", alone: "Unsure", sign: "?", tone: "unsure" },
  not_a_face: { choice: "not_a_face", says: "No face", alone: "No face", sign: "∅", tone: "" },
  wrong_reference: {
    choice: "wrong_reference",
    says: "Reference wrong",
    // Of a reference itself that is "no".
    alone: null,
    sign: "R",
    tone: "",
  },
};

/** The action of a choice that the server knows. */
export function actionOfChoice(choice) {
  return Object.keys(CHOICES).find((action) => CHOICES[action].choice === choice);
}

/** The key of an action, as people read it. */
export function shownKey(action) {
  return (keys()[action] ?? "").toUpperCase();
}
