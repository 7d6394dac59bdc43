// Says above the page what became of answers that are not on the server yet.

import { outbox } from "./outbox.js";

const SAID = {
  offline: (n) => `No connection. ${n} kept here, and sent when it is back.`,
  failed: (n) => `The server does not answer. ${n} kept here, and sent when it does.`,
  login: (n) =>
    `You are not logged in any more: open your invite link again. ${n} kept here, ` +
    "and sent after that.",
};

const count = (n) => (n === 1 ? "1 answer is" : `${n} answers are`);

/** Show it in an element, and keep it up to date. */
export function showBanner(place) {
  place.classList.add("banner");
  place.setAttribute("role", "status");
  const update = () => {
    const lines = [];
    const said = SAID[outbox.state];
    if (said) lines.push(said(count(outbox.waiting)));
    if (!outbox.durable)
      lines.push(
        "This browser keeps nothing on its disk: do not close the page while " +
          "answers wait.",
      );
    if (outbox.others)
      lines.push(
        `${count(outbox.others)} still here of somebody else who used this browser.`,
      );
    place.replaceChildren(...lines.map(line), ...refusals());
    place.hidden = place.childElementCount === 0;
    place.dataset.state = outbox.state;
    place.dataset.waiting = outbox.waiting;
  };
  outbox.addEventListener("change", update);
  update();
}

function line(text) {
  const made = document.createElement("p");
  made.className = "notice";
  made.textContent = text;
  return made;
}

function refusals() {
  if (!outbox.refused.length) return [];
  const made = document.createElement("div");
  made.className = "notice bad";
  const words = document.createElement("p");
  const n = outbox.refused.length;
  words.textContent = n === 1 ? "1 answer was not taken:" : `${n} answers were not taken:`;
  const list = document.createElement("ul");
  for (const message of new Set(outbox.refused.map((one) => one.message))) {
    const item = document.createElement("li");
    item.textContent = message;
    list.append(item);
  }
  const seen = document.createElement("button");
  seen.className = "button";
  seen.type = "button";
  seen.textContent = "I have seen it";
  seen.addEventListener("click", () => outbox.forgetRefused());
  made.append(words, list, seen);
  return [made];
}
