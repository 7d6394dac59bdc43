// The first page: how much waits in each task, as soon as the server knows.

import { get } from "./page.js";

for (const place of document.querySelectorAll("[data-waiting]")) {
  get(`/api/${place.dataset.waiting}/waiting`).then(
    ({ waiting }) => {
      place.textContent = waiting
        ? `${waiting.toLocaleString("en")} waiting`
        : "nothing waits now";
    },
    () => {
      place.textContent = "";
    },
  );
}
