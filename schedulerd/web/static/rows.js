// Lists of runs: keys move over rows, and new rows never shift what one reads.
import { addKeys } from "./keys.js";

export function startRows() {
  if (!document.querySelector(".rows")) return;
  addKeys({ j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: open, o: open });
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

function open() {
  if (document.activeElement?.matches("button, summary, a")) document.activeElement.click();
  else document.querySelector("[data-ui-here] a")?.click();
}

// Who has scrolled down, or is at a row, keeps the rows that are there; how many newer ones there are is told above them.
function keepTop(event) {
  const request = event.detail.ctx.request;
  const region = document.getElementById("runs-table");
  const top = region?.dataset.top;
  const isReading = scrollY > 40 || region?.contains(document.activeElement) || region?.querySelector("[data-ui-here]");
  if (!top || !isReading || event.detail.ctx.sourceElement !== region) return;
  const url = new URL(request.action || location.href, location.href);
  url.searchParams.set("top", top);
  request.action = url.href;
}
