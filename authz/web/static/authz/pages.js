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
