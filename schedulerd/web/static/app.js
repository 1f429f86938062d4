// What every page does: times, the appearance, keys, live updates. Pages work without any of it.
import { startTimes } from "./times.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";

const MOST_SEEN = 6;

rememberZone();
startTimes();
startKeys();
startTheme();
noteVisit();
if (document.body.dataset.page === "log") import("./log.js").then((log) => log.start());
if (document.querySelector("[data-graph]")) import("./graph.js").then((graph) => graph.start());
document.addEventListener("input", flagChange);
for (const name of ["focusin", "pointerover"]) document.addEventListener(name, comeToStrip);
if (document.getElementById("editor")) import("./editor.js").then((editor) => editor.start());
startLive();
startToast();

// The server words times in the zone of the cookie; it is set once, and the next page has it.
function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").some((one) => one.startsWith("tz="))) keep("tz", zone);
}

// The script of strips comes with the first one that somebody comes to.
function comeToStrip(event) {
  if (!event.target.closest?.("[data-strip]")) return;
  for (const name of ["focusin", "pointerover"]) document.removeEventListener(name, comeToStrip);
  import("./strip.js").then((strip) => strip.start(event));
}

// What was looked at in this tab, for the palette; whoever signs out leaves nothing of it.
function noteVisit() {
  if (!document.querySelector("[data-palette]")) return sessionStorage.removeItem("seen");
  if (!["flow", "run", "log", "schedule"].includes(document.body.dataset.page)) return;
  const title = document.querySelector("h1").textContent.trim();
  const before = JSON.parse(sessionStorage.getItem("seen") ?? "[]").filter((one) => one.title !== title);
  sessionStorage.setItem("seen", JSON.stringify([{ title, href: location.pathname }, ...before].slice(0, MOST_SEEN)));
}

// What was done is put in anew, so that it is read aloud, and goes after a while: later where it can be taken back.
function startToast() {
  const toast = document.querySelector(".toast");
  if (!toast) return;
  toast.replaceWith();
  setTimeout(() => document.getElementById("toasts").append(toast), 100);
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, toast.querySelector("form") ? 20000 : 8000);
}

// A field of a run that is had again says when it is not what it was.
function flagChange({ target }) {
  const field = target.closest("[data-was]");
  if (!field) return;
  const isChanged = target.value !== field.dataset.was;
  field.classList.toggle("changed", isChanged);
  field.querySelector("[data-changed]").hidden = !isChanged;
}

function startTheme() {
  const button = document.querySelector("[data-toggle-theme]");
  button?.addEventListener("click", (event) => {
    event.preventDefault();
    const root = document.documentElement;
    const isDark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    keep("theme", root.dataset.theme);
  });
}

function keep(name, value) {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax`;
}
