// The keyboard. Single keys can be turned off (WCAG 2.1.4), and never work while one types.
import { togglePause } from "./live.js";

const sheet = document.getElementById("shortcuts");
const box = document.getElementById("shortcuts-on");
let before = "";

const KEYS = {
  "?": () => sheet.showModal(),
  "/": () => focus("[data-key-search]"),
  "[": () => follow("[data-key-newer]"),
  "]": () => follow("[data-key-older]"),
  l: () => follow("[data-key-log]"),
  p: () => togglePause(),
  t: () => document.querySelector("[data-toggle-theme]").click(),
};
const PAGES = { r: "/runs" };

export function addKeys(keys) {
  Object.assign(KEYS, keys);
}

export function startKeys() {
  box.checked = localStorage.getItem("shortcuts") !== "off";
  box.addEventListener("change", () => localStorage.setItem("shortcuts", box.checked ? "on" : "off"));
  addEventListener("keydown", onKey);
}

function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !box.checked || sheet.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const deed = before === "g" && PAGES[event.key] ? () => location.assign(PAGES[event.key]) : KEYS[before === "g" && event.key === "g" ? "gg" : event.key];
  before = event.key;
  if (!deed || event.key === "g" && !deed) return;
  event.preventDefault();
  deed();
}

export function follow(selector) {
  document.querySelector(selector)?.click();
}

function focus(selector) {
  const field = document.querySelector(selector);
  field?.focus();
  field?.select();
}
