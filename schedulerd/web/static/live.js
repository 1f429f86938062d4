// Live updates: one stream a visible tab. An event says what has changed; regions of the page fetch their URL again.
import { setServerNow } from "./times.js";

const FAILURES_UNTIL_POLLING = 3;
const AGAIN_MS = 1000;
const POLL_MS = 5000;
const live = document.getElementById("live");
const dot = document.getElementById("live-dot");

let source = null;
let failures = 0;
let again = 0;
let poll = 0;
let isPaused = false;
let hasYielded = false;
let waiting = 0;
let seen = ""; // the fingerprint of what the page shows

export function startLive() {
  guardRegions();
  if (!live.dataset.topics) return;
  seen = live.dataset.seen;
  dot.hidden = false;
  dot.addEventListener("click", togglePause);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("focus", () => { if (hasYielded) { hasYielded = false; connect(); } });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  connect();
}

export function togglePause() {
  isPaused = !isPaused;
  if (!isPaused && waiting) refresh();
  waiting = 0;
  show(isPaused ? "paused" : source?.readyState === EventSource.OPEN ? "live" : "again");
}

function connect() {
  if (document.hidden || hasYielded || source) return;
  source = new EventSource(`/events?${new URLSearchParams({ topics: live.dataset.topics, seen })}`);
  source.addEventListener("hello", onHello);
  source.addEventListener("yield", onYield);
  source.addEventListener("bye", onError);
  source.addEventListener("error", onError);
  source.addEventListener("refresh", () => notice(refresh)); // something happened while nobody listened
  for (const name of ["runs", "run", "agents"]) source.addEventListener(name, (event) => onChange(name, event));
}

function disconnect() {
  source?.close();
  source = null;
  clearTimeout(again);
  setPolling(false);
}

function onHello(event) {
  const told = JSON.parse(event.data);
  seen = event.lastEventId || seen;
  setServerNow(told.now);
  failures = 0;
  setPolling(false);
  show(isPaused ? "paused" : "live");
}

function onChange(name, event) {
  const told = JSON.parse(event.data);
  seen = event.lastEventId || seen;
  notice(() => {
    live.dispatchEvent(new CustomEvent(name, { detail: told, bubbles: true }));
    if (name === "runs") announce(told.count);
  });
}

function onYield() {
  hasYielded = true;
  disconnect();
  setPolling(true);
}

function onError() {
  source?.close();
  source = null;
  if (document.hidden) return;
  failures += 1;
  if (failures >= FAILURES_UNTIL_POLLING) setPolling(true);
  else show("again");
  clearTimeout(again);
  again = setTimeout(connect, failures >= FAILURES_UNTIL_POLLING ? POLL_MS : AGAIN_MS);
}

function setPolling(on) {
  clearInterval(poll);
  poll = 0;
  if (!on) return;
  show("polling");
  refresh();
  poll = setInterval(() => document.hidden || isPaused || refresh(), POLL_MS);
}

function notice(deed) {
  if (!isPaused) return deed();
  waiting += 1;
  show("paused");
}

function refresh() {
  live.dispatchEvent(new CustomEvent("refresh", { bubbles: true }));
}

function show(state) {
  dot.dataset.state = state;
  const words = { live: dot.dataset.wordLive, again: dot.dataset.wordAgain, paused: dot.dataset.wordPaused, polling: dot.dataset.wordPolling };
  dot.querySelector(".word").textContent = words[state] + (state === "paused" && waiting ? ` (${waiting})` : "");
  dot.setAttribute("aria-pressed", String(state === "paused"));
}

// One polite sentence at most every five seconds, never one for each row.
let changed = 0;
let telling = 0;
function announce(count) {
  changed += count;
  telling ||= setTimeout(() => {
    const place = document.getElementById("announcements");
    place.textContent = changed === 1 ? place.dataset.wordOne : place.dataset.wordMany.replace("{count}", changed);
    changed = 0;
    telling = 0;
  }, 5000);
}

// An answer without the region must not remove it: the session may have ended, or the server be in trouble.
function guardRegions() {
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!ctx?.select || !tasks?.some((task) => task.type === "main" && !task.fragment.childElementCount)) return;
    event.preventDefault();
    if (ctx.response?.raw?.redirected) location.reload();
  });
}
