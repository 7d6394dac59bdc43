// The pages of icf browse: find by name, choose faces, put them into review or ask.

import { post } from "./page.js";

const WORDS = {
  review: "put into review",
  asked: "will be asked about",
  asked_before: "asked about before",
  dropped: "dropped by the filter, so no suspicion",
  without_reference: "without a reference to compare with",
  is_reference: "the reference itself",
  gone: "gone",
};

const find = document.getElementById("find");
find?.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  for (const each of document.querySelectorAll(find.dataset.finds)) {
    each.hidden = !each.dataset.name.includes(wanted);
  }
});

const form = document.getElementById("choose");
if (form) {
  const boxes = () => [...form.querySelectorAll("input[name=face]")];
  const chosen = () => boxes().filter((box) => box.checked);
  const done = document.getElementById("done");

  const count = () => {
    const number = chosen().length;
    const shown = document.getElementById("count");
    if (shown) shown.textContent = number ? `${number} chosen` : "none chosen";
    for (const button of form.querySelectorAll("[data-do]")) button.disabled = !number;
  };

  form.addEventListener("change", count);
  // Browsers keep boxes checked when a page is loaded again.
  count();

  document.getElementById("all")?.addEventListener("click", () => {
    const every = chosen().length < boxes().length;
    for (const box of boxes()) box.checked = every;
    count();
  });

  form.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    button.disabled = true;
    try {
      const faces = chosen().map((box) => Number(box.value));
      const { counts } = await post(`/api/browse/${button.dataset.do}`, { faces });
      const parts = Object.entries(counts).map(([key, number]) => `${number} ${WORDS[key] ?? key}`);
      done.textContent = `${parts.join(", ")}.`;
    } catch (error) {
      done.textContent = `This did not work: ${error.message}.`;
    }
    done.hidden = false;
    count();
  });
}
