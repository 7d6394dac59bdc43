// A person's own page: new keys, colours, a pause.

import { post, say } from "./page.js";

const said = document.getElementById("key-said");
const buttons = [...document.querySelectorAll(".key")];
let waiting = null;

function tell(text) {
  said.textContent = text;
  said.classList.toggle("refused", false);
}

function stopWaiting() {
  waiting?.classList.remove("waiting");
  waiting?.setAttribute("aria-pressed", "false");
  waiting = null;
}

async function save(keys) {
  try {
    const chosen = await post("/api/preferences", { keys });
    for (const button of buttons) {
      button.querySelector("kbd").textContent = chosen.keys[button.dataset.action];
    }
    document.body.dataset.keys = JSON.stringify(chosen.keys);
    tell("Saved.");
  } catch (error) {
    tell(`Not saved: ${error.message}.`);
    said.classList.toggle("refused", true);
  }
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    const again = waiting === button;
    stopWaiting();
    if (again) return tell("");
    waiting = button;
    button.classList.add("waiting");
    button.setAttribute("aria-pressed", "true");
    tell(`Press a key for “${button.querySelector("span").textContent}”; Escape: none.`);
  });
}

addEventListener("keydown", (event) => {
  if (!waiting || event.repeat || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  if (event.key === "Tab") {
    stopWaiting();
    return tell("");
  }
  event.preventDefault();
  const action = waiting.dataset.action;
  stopWaiting();
  if (event.key === "Escape") return tell("Nothing was changed.");
  save({ [action]: event.key });
});

document.getElementById("defaults").addEventListener("click", (event) => {
  stopWaiting();
  save(JSON.parse(event.currentTarget.dataset.defaults));
});

function wear(theme) {
  const chosen = document.querySelector(`#themes [value="${theme}"]`);
  chosen.checked = true;
  document.documentElement.dataset.theme = theme;
  document.getElementById("dark").media = chosen.dataset.dark;
}

document.getElementById("themes").addEventListener("change", async (event) => {
  const theme = event.target.value;
  const before = document.documentElement.dataset.theme;
  wear(theme);
  try {
    await post("/api/preferences", { theme });
    say("Saved.");
  } catch (error) {
    wear(before);
    say(`Not saved: ${error.message}.`);
  }
});

const pause = document.getElementById("pause");
pause?.addEventListener("click", async () => {
  pause.disabled = true;
  try {
    await post("/api/pause", { paused: pause.dataset.paused === "true" });
    location.reload();
  } catch (error) {
    pause.disabled = false;
    say(`This did not work: ${error.message}.`);
  }
});
