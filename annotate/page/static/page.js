// What every page's script needs: calls to the server, keys, words for screen readers.

/** The token that everything which changes something must carry. */
let token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** What the server said when it refused a call. */
export class Refused extends Error {
  /**
   * @param {number} status of HTTP
   * @param {string} message for people
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Call the server.
 *
 * @param {string} url such as "/api/pairs/next"
 * @param {object} body sent as JSON
 * @param {RequestInit} [options] of fetch
 * @returns {Promise<object>} the answer
 * @throws {Refused} the server refused; other errors are of the network
 */
export async function post(url, body = {}, options = {}) {
  const send = () =>
    ask(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
      body: JSON.stringify(body),
      ...options,
    });
  const response = await send();
  // Whoever logged in again in another tab has another token.
  if (response.status === 403 && (await renewToken())) return read(await send());
  return read(response);
}

/** Ask for the token of the present session; tell whether it is another one. */
async function renewToken() {
  const response = await ask("/api/session");
  if (!response.ok) return false;
  const before = token;
  token = (await response.json()).csrf;
  return token !== before;
}

/** Ask the server, without changing anything. */
export async function get(url) {
  return read(await ask(url));
}

async function ask(url, options = {}) {
  try {
    return await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    // Browsers say it in words of their own, such as "Failed to fetch".
    throw new Error("the server does not answer", { cause: error });
  }
}

async function read(response) {
  const text = await response.text();
  let found = {};
  try {
    found = JSON.parse(text);
  } catch {
    found = { error: text };
  }
  if (!response.ok) throw new Refused(response.status, found.error ?? "");
  return found;
}

/** Send something as the page goes away; nobody waits for an answer. */
export function sendLast(url, body = {}) {
  navigator.sendBeacon(url, JSON.stringify({ ...body, csrf: token }));
}

/** The name under which this browser keeps something that is this person's alone. */
export function personal(name) {
  return `${name} ${document.querySelector('meta[name="person"]')?.content ?? ""}`;
}

/** The person's keys: an action each, such as {same: "f"}. */
export function keys() {
  return JSON.parse(document.body.dataset.keys ?? "{}");
}

/**
 * The action that a key press asks for.
 *
 * @param {KeyboardEvent} event
 * @returns {string|null} null: none, a key that is held down, or one typed into a field
 */
export function actionOf(event) {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.target.closest?.("input, select, textarea")) return null;
  const pressed = event.key.toLowerCase();
  const found = Object.entries(keys()).find(([, key]) => key === pressed);
  return found ? found[0] : null;
}

/** Milliseconds within which a second click in one place is a double click. */
const DOUBLE = 300;
let clickedAt = -Infinity;

/**
 * Whether a click is the second one of a double click: the first one has answered, and
 * nobody has looked yet at what came after it.
 *
 * @param {MouseEvent} event each click that answers
 */
export function isDoubled(event) {
  const soon = event.timeStamp - clickedAt < DOUBLE;
  clickedAt = event.timeStamp;
  return event.detail > 1 && soon;
}

/** Say something to people who hear the page. */
export function say(text) {
  const place = document.getElementById("said");
  // The same words twice are said twice only where the text changes.
  place.textContent = place.textContent === text ? `${text}\u00a0` : text;
}

// On a phone the menu is wider than the screen.
document
  .querySelector(".bar nav [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });

// The address that a page had to load itself again with is nobody's business.
const here = new URL(location.href);
if (here.searchParams.has("again")) {
  here.searchParams.delete("again");
  history.replaceState(history.state, "", here);
}
