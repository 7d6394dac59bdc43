// The admin's page: invite, pause, resume, revoke.

import { post, say } from "./page.js";

const failed = document.getElementById("failed");

function fail(error) {
  failed.textContent = `This did not work: ${error.message}.`;
  failed.hidden = false;
}

document.querySelector("tbody").addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const name = button.closest("tr").dataset.name;
  // What shuts a person out asks for a second press, without a dialog.
  if (button.dataset.do === "revoke" && !button.dataset.sure) {
    button.dataset.sure = "yes";
    button.textContent = "Really?";
    say(`Press once more to shut ${name} out.`);
    button.addEventListener("blur", () => {
      delete button.dataset.sure;
      button.textContent = "Revoke";
    }, { once: true });
    return;
  }
  button.disabled = true;
  try {
    await post(`/api/admin/${button.dataset.do}`, { name });
    location.reload();
  } catch (error) {
    button.disabled = false;
    fail(error);
  }
});

const form = document.getElementById("invite");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  failed.hidden = true;
  const asked = new FormData(form);
  try {
    const made = await post("/api/admin/invite", {
      name: asked.get("name"),
      role: asked.get("role"),
      days: Number(asked.get("days")),
    });
    document.getElementById("made-for").textContent = `${made.name}, as ${made.role}`;
    document.getElementById("link").value = made.url;
    document.getElementById("made").hidden = false;
    form.elements.name.value = "";
  } catch (error) {
    fail(error);
  }
});

document.getElementById("copy").addEventListener("click", async () => {
  const link = document.getElementById("link");
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    say("Copied.");
  } catch {
    // Without TLS there is no clipboard: the link is selected, to be copied by hand.
    say("Copy the selected link.");
  }
});
