// The desk's keyboard shortcuts, and the sign that the reader is still at work. The page does without both.
"use strict";
const WRITING = "input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea, [contenteditable]";
const desk = () => document.querySelector(".desk");

const openDeed = (key) => {
  const deed = desk().querySelector(`details[data-key="${key}"]`);
  if (!deed) return false;
  deed.open = true;
  const first = deed.querySelector("form input:not([type=hidden]), form textarea, form select, form button");
  (first ?? deed.querySelector("summary")).focus();
  deed.scrollIntoView({ block: "nearest" });
  return true;
};
const move = (by) => {
  const links = [...desk().querySelectorAll(".queue ol a")];
  if (!links.length) return false;
  const focused = links.indexOf(document.activeElement);
  const from = focused >= 0 ? focused : links.findIndex((link) => link.ariaCurrent === "true");
  const next = links[Math.min(Math.max(from + by, 0), links.length - 1)];
  next.focus();
  return next.checkVisibility();
};
const help = () => {
  const shortcuts = document.querySelector("#shortcuts");
  shortcuts.open = !shortcuts.open;
  shortcuts.querySelector("summary").focus();
  return true;
};
const confirmOpen = () => {
  const deed = document.activeElement.closest("details.deed") ?? desk().querySelector("details.deed[open]");
  const form = deed?.querySelector("form");
  if (!form) return false;
  form.requestSubmit(form.querySelector("button"));
  return true;
};
const acts = (event) => {
  if (event.key === "Enter") return event.ctrlKey && confirmOpen();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(WRITING)) return false;
  const key = event.key.toLowerCase();
  if (key === "j") return move(1);
  if (key === "k") return move(-1);
  if (key === "?") return help();
  return "apid".includes(key) && key.length === 1 && openDeed(key);
};
document.addEventListener("keydown", (event) => {
  if (desk().dataset.shortcuts && acts(event)) event.preventDefault();
});

// Whoever works on a case keeps it in hand; a window left open does not.
const OFTEN = 5 * 60 * 1000;
let told = Date.now();
const stillHere = () => {
  if (Date.now() - told < OFTEN) return;
  told = Date.now();
  document.querySelector("[data-keep]")?.dispatchEvent(new Event("still-here"));
};
for (const sign of ["keydown", "pointerdown", "scroll"]) document.addEventListener(sign, stillHere, { passive: true });
