// The last runs of a flow: whoever comes to their picture finds a list in its place, through which arrows go.

export function start(first) {
  document.addEventListener("focusin", (event) => open(event.target.closest("[data-strip]")));
  document.addEventListener("pointerover", (event) => open(event.target.closest("[data-strip]"), event));
  document.addEventListener("focusout", later);
  document.addEventListener("pointerout", later);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => follow(event.target.closest(".strip-list [role=option]")));
  open(first.target.closest("[data-strip]"), first);
}

async function open(frame, event) {
  const list = frame?.querySelector(".strip-list");
  if (list) return event && choose(list, event.target.closest("[role=option]"));
  if (!frame || frame.hasAttribute("data-ui")) return;
  frame.toggleAttribute("data-ui", true);
  const answer = await fetch(frame.dataset.strip).catch(() => null);
  const html = answer?.ok && !answer.redirected ? await answer.text() : "";
  if (!html || !isWanted(frame)) return frame.removeAttribute("data-ui");
  const picture = frame.firstElementChild;
  const hadFocus = frame.contains(document.activeElement);
  const made = new DOMParser().parseFromString(html, "text/html").querySelector(".strip-list");
  frame.toggleAttribute("hx-morph-skip", true); // what is looked through stays, whatever happens meanwhile
  frame.picture = picture;
  picture.replaceWith(made);
  place(made);
  if (hadFocus) {
    made.focus();
    choose(made, options(made).at(-1));
  }
}

function isWanted(frame) {
  return frame.isConnected && (frame.contains(document.activeElement) || frame.matches(":hover"));
}

function later(event) {
  const frame = event.target.closest?.("[data-strip]");
  if (frame) setTimeout(() => isWanted(frame) || close(frame));
}

function close(frame) {
  if (!frame.picture) return;
  frame.replaceChildren(frame.picture);
  frame.picture = null;
  for (const name of ["hx-morph-skip", "data-ui"]) frame.removeAttribute(name);
}

function options(list) {
  return [...list.querySelectorAll("[role=option]")];
}

function place(list) {
  const all = options(list);
  for (const [number, one] of all.entries()) {
    one.style.insetInlineStart = `${(100 * number) / all.length}%`;
    one.style.width = `${100 / all.length}%`;
  }
}

function choose(list, option) {
  if (!option) return;
  for (const one of options(list)) one.setAttribute("aria-selected", String(one === option));
  list.setAttribute("aria-activedescendant", option.id);
  const said = list.querySelector(".strip-said") || list.appendChild(document.createElement("span"));
  said.className = "strip-said";
  said.setAttribute("aria-hidden", "true");
  said.textContent = option.textContent;
}

function onKey(event) {
  const list = event.target.closest?.(".strip-list");
  if (!list || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = options(list);
  const here = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1, Enter: here }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Enter") follow(all[here]);
  else choose(list, all[Math.max(0, Math.min(all.length - 1, to))]);
}

function follow(option) {
  if (option) location.assign(option.dataset.href);
}
