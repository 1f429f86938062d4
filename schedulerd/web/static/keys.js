// The keyboard, and the rows that it moves over. Single keys can be turned off (WCAG 2.1.4), and never work while one types.
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
const PAGES = { d: "/", f: "/flows", r: "/runs", s: "/schedules", w: "/agents", y: "/system" };

export function addKeys(keys) {
  Object.assign(KEYS, keys);
}

export function startKeys() {
  box.checked = localStorage.getItem("shortcuts") !== "off";
  box.addEventListener("change", () => localStorage.setItem("shortcuts", box.checked ? "on" : "off"));
  addEventListener("keydown", onKey);
  document.querySelector("[data-palette]")?.addEventListener("click", openPalette);
  startRows();
}

// The palette is open at once, and what moves in it comes after; Enter until then is remembered. On its own page it is there.
function openPalette(event) {
  event.preventDefault();
  const palette = document.getElementById("palette");
  if (!palette) return focus("#palette-q");
  if (palette.open) return palette.close();
  palette.onkeydown = (early) => { if (early.key === "Enter" && !early.isComposing) palette.dataset.uiWanted = "yes"; };
  document.getElementById("palette-q").value = "";
  palette.showModal(); // which gives the focus back where it was when it is closed
  import("./palette.js").then((module) => module.begin());
}

function isPaletteKey(event) {
  return (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.code === "KeyK";
}

function onKey(event) {
  if (isPaletteKey(event) && !sheet.open && document.querySelector("[data-palette]")) return openPalette(event);
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !box.checked || sheet.open) return;
  if (isTyping(event.target)) return;
  const deed = before === "g" && PAGES[event.key] ? () => location.assign(PAGES[event.key]) : KEYS[before === "g" && event.key === "g" ? "gg" : event.key];
  before = event.key;
  if (!deed || event.key === "g" && !deed) return;
  event.preventDefault();
  deed();
}

// A sheet that was just closed keeps the focus until the next frame: a key then is meant for the page.
function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") && !sheet.contains(target);
}

export function follow(selector) {
  document.querySelector(selector)?.click();
}

function focus(selector) {
  const field = document.querySelector(selector);
  field?.focus();
  field?.select();
}

// Lists of runs: keys move over rows, and new rows never shift what one reads.
function startRows() {
  if (!document.querySelector(".rows")) return;
  addKeys({ j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), x: choose, Enter: open, o: open });
  document.addEventListener("htmx:config:request", keepTop);
}

function rows() {
  return [...document.querySelectorAll(".rows tbody tr")];
}

function step(by) {
  const all = rows();
  const next = all[Math.max(0, Math.min(all.length - 1, all.findIndex((row) => row.hasAttribute("data-ui-here")) + by))];
  if (!next) return;
  for (const row of all) row.toggleAttribute("data-ui-here", row === next);
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus({ preventScroll: true });
}

function choose() {
  document.querySelector("[data-ui-here] input[type=checkbox]")?.click();
}

function open() {
  if (document.activeElement?.matches("button, summary, a")) document.activeElement.click();
  else document.querySelector("[data-ui-here] a")?.click();
}

// Who has scrolled down, or is at a row, keeps the rows that are there; how many newer ones there are is told above them.
function keepTop(event) {
  const request = event.detail.ctx.request;
  const region = document.getElementById("runs-table");
  const top = region?.dataset.top;
  const isReading = scrollY > 40 || region?.contains(document.activeElement) || region?.querySelector("[data-ui-here], :checked");
  if (!top || !isReading || event.detail.ctx.sourceElement !== region) return;
  const url = new URL(request.action || location.href, location.href);
  url.searchParams.set("top", top);
  request.action = url.href;
}
