// Little conveniences; every page does without them.
"use strict";
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) box.checked = all.checked;
});
const unhide = () => {
  for (const element of document.querySelectorAll("[data-print], [data-all]")) element.hidden = false;
};
document.addEventListener("DOMContentLoaded", unhide);
document.addEventListener("htmx:after:swap", unhide);
// A form that saves as you type is sent once what is on its way has come back, with the version it brought.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-saves].htmx-request")) return;
  event.preventDefault();
  form.addEventListener("htmx:finally:request", () => setTimeout(() => form.requestSubmit(event.submitter), 50), { once: true });
});
