// The log of a run: chunks come as one scrolls, lines as they are written; at most so many are on the page.
import { addKeys, follow as press } from "./keys.js";

const MOST_CHUNKS = 20;
const NEAR_PX = 600;
const box = document.getElementById("log");
const live = document.getElementById("live");
let isFollowing = false;
let isLoading = false;
let isScrolledByUs = false;

export function start() {
  if (!box) return;
  for (const button of document.querySelectorAll("[data-log]")) {
    button.hidden = false;
    button.addEventListener("click", () => TOGGLES[button.dataset.log]());
  }
  document.querySelector("[data-log-jump] button").addEventListener("click", () => setFollowing(true));
  box.addEventListener("scroll", onScroll, { passive: true });
  box.addEventListener("click", onPick);
  live.addEventListener("run", (event) => onLines(event.detail.lines));
  live.addEventListener("refresh", () => onLines(Infinity));
  addKeys({
    f: () => setFollowing(!isFollowing), w: TOGGLES.wrap, T: TOGGLES.times, gg: toTop, G: toEnd,
    n: () => press("[data-match=next]"), N: () => press("[data-match=previous]"),
    e: () => press("[data-error=next]"), E: () => press("[data-error=previous]"),
  });
  show();
}

const TOGGLES = {
  wrap: () => toggle("wrap", "uiWrap", "on"),
  times: () => toggle("times", "uiTimes", "off"),
  follow: () => setFollowing(!isFollowing),
};

function toggle(name, key, value) {
  if (box.dataset[key]) delete box.dataset[key];
  else box.dataset[key] = value;
  const button = document.querySelector(`[data-log=${name}]`);
  button.setAttribute("aria-pressed", String(button.ariaPressed !== "true"));
}

// Where the page begins: at the line of the address, or at the end, which is followed.
function show() {
  const picked = location.hash.match(/^#L(\d+)(?:-L(\d+))?$/);
  if (picked || box.dataset.line) {
    const line = picked ? Number(picked[1]) : Number(box.dataset.line);
    pick(line, picked?.[2] ? Number(picked[2]) : line);
    document.getElementById(`L${line}`)?.scrollIntoView({ block: "center" });
  } else setFollowing(box.dataset.later === "0");
}

async function load(query) {
  isLoading = true;
  try {
    const url = new URL(box.dataset.chunks, location.href);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const answer = await fetch(url);
    if (!answer.ok) return null;
    const chunk = document.createElement("ol");
    chunk.className = "chunk";
    chunk.innerHTML = await answer.text();
    for (const name of ["first", "last", "earlier", "later", "count"]) chunk.dataset[name] = answer.headers.get(`X-${name}`);
    return chunk;
  } catch {
    return null; // the server is away; the live dot says so
  } finally {
    isLoading = false;
  }
}

async function loadEarlier() {
  if (isLoading || box.dataset.earlier !== "1") return;
  const chunk = await load({ before: box.dataset.first });
  if (!chunk) return;
  box.dataset.earlier = chunk.dataset.earlier;
  if (!chunk.childElementCount) return edge("earlier");
  const height = box.scrollHeight;
  edge("earlier");
  box.querySelector("ol.chunk").before(chunk);
  scrollTo_(box.scrollTop + box.scrollHeight - height);
  box.dataset.first = chunk.dataset.first;
  trim(-1);
}

async function loadLater() {
  if (isLoading) return;
  const chunk = await load({ after: box.dataset.last });
  if (!chunk) return;
  box.dataset.later = chunk.dataset.later;
  edge("later");
  if (!chunk.childElementCount) return;
  append(chunk);
  document.getElementById("log-count").textContent = document.getElementById("log-count").textContent.replace(/\d+/, chunk.dataset.count);
  if (isFollowing) toBottom();
  trim(1);
  if (box.dataset.later === "1" && isFollowing) await loadLater();
}

// Small pieces that come as they are written are put into the last chunk, so that there are not many tiny ones.
function append(chunk) {
  box.querySelector("[data-log-empty]")?.remove();
  const last = box.querySelector("ol.chunk:last-of-type");
  if (last && last.childElementCount + chunk.childElementCount <= 500) last.append(...chunk.children);
  else box.append(chunk);
  box.dataset.last = chunk.dataset.last;
}

function edge(name) {
  box.querySelector(`[data-edge=${name}]`)?.remove();
}

// Chunks on the far side go; they are fetched again when one scrolls there.
function trim(side) {
  const chunks = [...box.querySelectorAll("ol.chunk")];
  while (chunks.length > MOST_CHUNKS) {
    if (side > 0) {
      const height = box.scrollHeight;
      chunks.shift().remove();
      scrollTo_(box.scrollTop + box.scrollHeight - height);
      box.dataset.first = chunks[0].firstElementChild.id.slice(1);
      box.dataset.earlier = "1";
    } else {
      chunks.pop().remove();
      box.dataset.last = chunks.at(-1).lastElementChild.id.slice(1);
      box.dataset.later = "1";
    }
  }
}

async function onLines(lines) {
  if (lines <= Number(box.dataset.last)) return;
  if (isFollowing || box.dataset.later === "0") await loadLater();
  if (isFollowing) return;
  const missed = Math.max(0, (Number.isFinite(lines) ? lines : Number(box.dataset.last)) - seenLast);
  if (!missed) return; // somebody was told to look again, and there is nothing new
  document.querySelector("[data-log-jump]").hidden = false;
  document.querySelector("[data-log-new]").textContent = `(${missed})`;
}

let seenLast = 0;
function setFollowing(on) {
  isFollowing = on;
  document.querySelector("[data-log=follow]").setAttribute("aria-pressed", String(on));
  document.querySelector("[data-log-jump]").hidden = true;
  seenLast = Number(box.dataset.last);
  if (!on) return;
  if (box.dataset.later === "1") return location.assign(location.pathname + withoutLine());
  toBottom();
}

function withoutLine() {
  const query = new URLSearchParams(location.search);
  query.delete("line");
  return query.size ? `?${query}` : "";
}

function onScroll() {
  if (isScrolledByUs) return void (isScrolledByUs = false);
  const left = box.scrollHeight - box.clientHeight - box.scrollTop;
  if (isFollowing && left > 40) setFollowing(false);
  else if (!isFollowing && left < 4 && box.dataset.later === "0") setFollowing(true);
  if (box.scrollTop < NEAR_PX) loadEarlier();
  if (left < NEAR_PX && box.dataset.later === "1") loadLater();
}

function toBottom() {
  scrollTo_(box.scrollHeight);
}

function scrollTo_(top) {
  const before = box.scrollTop;
  box.scrollTop = top;
  isScrolledByUs = box.scrollTop !== before;
}

function toTop() {
  if (box.dataset.earlier === "1") location.assign(`${box.dataset.base}?line=1#L1`);
  else box.scrollTop = 0;
}

function toEnd() {
  setFollowing(true);
}

// A click at a number makes the address that of the line, with Shift that of a range.
let anchor = null;
function onPick(event) {
  const number = event.target.closest("a.n");
  if (!number || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const line = Number(number.textContent);
  const [first, last] = event.shiftKey && anchor ? [Math.min(anchor, line), Math.max(anchor, line)] : [line, line];
  if (!event.shiftKey) anchor = line;
  setFollowing(false);
  const query = new URLSearchParams(location.search);
  query.set("line", first);
  history.replaceState(null, "", `${location.pathname}?${query}#L${first}${last > first ? `-L${last}` : ""}`);
  pick(first, last);
}

function pick(first, last) {
  for (const row of box.querySelectorAll("[data-ui-picked]")) row.removeAttribute("data-ui-picked");
  for (let line = first; line <= Math.min(last, first + 5000); line += 1) {
    document.getElementById(`L${line}`)?.setAttribute("data-ui-picked", "");
  }
  anchor = first;
}
