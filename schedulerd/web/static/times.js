// "2 min ago" beside times, and durations that go on counting. By the server's clock: this machine's may be wrong.
const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const LETTERS = language === "ko" ? ["일", "시간", "분", "초"] : ["d", "h", "m", "s"];
let ahead = Date.now() - Number(document.body.dataset.serverNow);

export function now() {
  return Date.now() - ahead;
}

export function setServerNow(milliseconds) {
  ahead = Date.now() - milliseconds;
}

export function startTimes() {
  tick();
  setInterval(() => document.hidden || tick(), 1000);
  document.addEventListener("htmx:after:swap", tick);
}

function tick() {
  for (const element of document.querySelectorAll("time[data-ago]")) tellAgo(element);
  for (const element of document.querySelectorAll("[data-since]")) {
    put(element, durationText(now() - Number(element.dataset.since)));
  }
}

function tellAgo(element) {
  let span = element.nextElementSibling;
  if (!span?.matches(".ago")) {
    span = document.createElement("span");
    span.className = "ago";
    element.after(span);
  }
  put(span, agoText((Date.parse(element.dateTime) - now()) / 1000));
}

function agoText(seconds) {
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return relative.format(Math.trunc(seconds / length), unit);
}

function durationText(milliseconds) {
  let left = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [];
  UNITS.forEach(([, length], index) => {
    const count = Math.floor(left / length);
    left %= length;
    if (count || parts.length || length === 1) parts.push(`${count}${LETTERS[index]}`);
  });
  return parts.slice(0, 2).join(" ");
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
