// The palette: what is typed is asked of the server, whose choices keys move through. Here is no knowledge of what there is.
const PAUSE_MS = 60;
const dialog = document.getElementById("palette");
const field = document.getElementById("palette-q");
const status = document.getElementById("palette-status");
let asking = null;
let waiting = 0;
let shown = null; // the text that the choices are for
let isWanted = false; // Enter was pressed before they came

field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE_MS); });
dialog.addEventListener("click", onClick);

// It has just been opened, and something may have been typed already.
export function begin() {
  dialog.onkeydown = onKey;
  isWanted = dialog.dataset.uiWanted === "yes";
  delete dialog.dataset.uiWanted;
  shown = null;
  ask();
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return; // it is a key of the input method
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) {
    event.preventDefault();
    step(moves[event.key]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (shown === field.value) chosen()?.click();
    else { isWanted = true; clearTimeout(waiting); ask(); }
  }
}

function onClick(event) {
  if (event.target === dialog) return dialog.close(); // beside it
  const choice = event.target.closest("[data-fill]");
  if (!choice) return;
  event.preventDefault();
  field.value = choice.dataset.fill;
  field.focus();
  ask();
}

async function ask() {
  const text = field.value;
  asking?.abort(); // an answer to what was typed before is no answer now
  const mine = asking = new AbortController();
  try {
    const answer = await fetch(`/palette?${new URLSearchParams({ q: text, part: "choices" })}`, { signal: mine.signal });
    if (answer.redirected) return location.reload(); // the session is over
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("palette-found");
    if (mine === asking) show(text, found);
  } catch (error) {
    if (error.name !== "AbortError") isWanted = false;
  }
}

function show(text, found) {
  if (!text) found.querySelector("[role=listbox]").prepend(...recent());
  document.getElementById("palette-found").replaceWith(found);
  status.textContent = found.dataset.status;
  shown = text;
  step(0);
  if (isWanted && text === field.value) { isWanted = false; if (dialog.open) chosen()?.click(); }
}

function options() {
  return [...dialog.querySelectorAll("[role=option]")];
}

function chosen() {
  return dialog.querySelector("[aria-selected=true]");
}

function step(by) {
  const all = options();
  const now = all.indexOf(chosen());
  const next = all[(Math.max(now, 0) + by + all.length) % all.length];
  for (const one of all) one.setAttribute("aria-selected", String(one === next));
  field.setAttribute("aria-expanded", String(all.length > 0));
  field.setAttribute("aria-activedescendant", next?.id ?? "");
  next?.scrollIntoView({ block: "nearest" });
}

function recent() {
  const here = location.pathname;
  const seen = JSON.parse(sessionStorage.getItem("seen") ?? "[]").filter((one) => one.href !== here);
  if (!seen.length) return [];
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", dialog.dataset.wordRecent);
  const heading = Object.assign(document.createElement("p"), { className: "heading", textContent: dialog.dataset.wordRecent, ariaHidden: "true" });
  const links = seen.map(({ title, href }, index) => {
    const link = Object.assign(document.createElement("a"), { className: "choice", id: `seen-${index}`, href, textContent: title, tabIndex: -1 });
    link.setAttribute("role", "option");
    return link;
  });
  group.append(heading, ...links);
  return [group];
}
