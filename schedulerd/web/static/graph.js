// Graphs: arrows go from node to node along the lines, and what is drawn is made smaller or larger, and pulled about.
import { addKeys } from "./keys.js";

const SMALLEST = 0.15;
const LARGEST = 3;
const FACTOR = 1.25;
let scale = 1;
let pointedAt = "";

export function start() {
  document.querySelector(".graph-tools").toggleAttribute("data-ui", true);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, onPoint);
  const box = document.getElementById("graph-box");
  box.addEventListener("wheel", onWheel, { passive: false });
  box.addEventListener("pointerdown", onPull);
  addKeys({ "+": () => zoom(scale * FACTOR), "=": () => zoom(scale * FACTOR), "-": () => zoom(scale / FACTOR), 0: fit });
}

function onClick(event) {
  const way = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (way === "all") fit();
  else if (way) zoom(way === "in" ? scale * FACTOR : scale / FACTOR);
}

// What is at this place of the box stays there; without one, what is in the middle.
function zoom(to, at) {
  const box = document.getElementById("graph-box");
  const graph = document.getElementById("graph");
  const { x, y } = at || { x: box.clientWidth / 2, y: box.clientHeight / 2 };
  const was = scale;
  scale = Math.min(LARGEST, Math.max(SMALLEST, to));
  const [left, top] = [(box.scrollLeft + x) / was, (box.scrollTop + y) / was];
  graph.style.width = `${graph.viewBox.baseVal.width * scale}px`;
  graph.style.height = `${graph.viewBox.baseVal.height * scale}px`;
  box.scrollTo(left * scale - x, top * scale - y);
}

function fit() {
  const box = document.getElementById("graph-box");
  const { width, height } = document.getElementById("graph").viewBox.baseVal;
  zoom(Math.min(1, box.clientWidth / width, box.clientHeight / height));
}

function onWheel(event) {
  if (!event.ctrlKey) return;
  event.preventDefault();
  const frame = event.currentTarget.getBoundingClientRect();
  zoom(scale * Math.exp(-event.deltaY / 300), { x: event.clientX - frame.left, y: event.clientY - frame.top });
}

// Fingers scroll the box by themselves.
function onPull(event) {
  const box = event.currentTarget;
  if (event.pointerType !== "mouse" || event.button || event.target.closest("a")) return;
  const from = { x: box.scrollLeft + event.clientX, y: box.scrollTop + event.clientY };
  const pull = (now) => box.scrollTo(from.x - now.clientX, from.y - now.clientY);
  box.setPointerCapture(event.pointerId);
  box.addEventListener("pointermove", pull);
  box.addEventListener("pointerup", () => box.removeEventListener("pointermove", pull), { once: true });
}

function onKey(event) {
  const node = event.target.closest?.(".node");
  if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter") event.stopPropagation(); // the link is followed as links are
  const find = ARROWS[event.key];
  if (!find) return;
  event.preventDefault();
  event.stopPropagation();
  const next = nearest(node, find(node));
  next?.focus();
  next?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

const ARROWS = {
  ArrowRight: (node) => links().after.get(node.id),
  ArrowLeft: (node) => links().before.get(node.id),
  ArrowDown: (node) => beside(node, 1),
  ArrowUp: (node) => beside(node, -1),
};

function nodes() {
  return [...document.querySelectorAll("#graph .node")];
}

// The ids of the nodes that come after and before each.
function links() {
  const [after, before] = [new Map(), new Map()];
  for (const node of nodes()) {
    after.set(node.id, node.dataset.after.split(" ").filter(Boolean).map((key) => `node-${key}`));
    for (const id of after.get(node.id)) before.set(id, [...(before.get(id) || []), node.id]);
  }
  return { after, before };
}

function beside(node, way) {
  const here = place(node);
  return nodes().filter((one) => place(one).x === here.x && (place(one).y - here.y) * way > 0).map((one) => one.id);
}

function nearest(node, ids) {
  const { y } = place(node);
  const away = (one) => Math.abs(place(one).y - y);
  return (ids || []).map((id) => document.getElementById(id)).filter(Boolean).sort((a, b) => away(a) - away(b))[0];
}

function place(node) {
  const box = node.querySelector(".box");
  return { x: box.x.baseVal.value, y: box.y.baseVal.value };
}

// What comes before and after the node that is pointed at is seen to.
function onPoint(event) {
  const node = event.target.closest?.(".node");
  if ((node?.id || "") === pointedAt) return;
  pointedAt = node?.id || "";
  const { after, before } = links();
  const near = new Set(node ? [...reach(node.id, after), ...reach(node.id, before)] : []);
  const graph = document.getElementById("graph");
  graph.toggleAttribute("data-ui", near.size > 1);
  for (const one of nodes()) one.classList.toggle("near", near.has(one.id));
  for (const way of graph.querySelectorAll(".way")) way.classList.toggle("near", way.id.split("-").slice(1).every((key) => near.has(`node-${key}`)));
}

function reach(id, side) {
  const found = new Set([id]);
  for (const one of found) for (const next of side.get(one) || []) found.add(next); // a set goes on with what is added meanwhile
  return found;
}
