// Graphs: arrows go from node to node along the lines, and what is drawn is made smaller or larger, and pulled about.
import { addKeys } from "./keys.js";

const SMALLEST = 0.15;
const LARGEST = 3;
const FACTOR = 1.25;
let scale = 1;
let pointedAt = "";

export function start() {
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, onPoint);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("wheel", onWheel, { passive: false });
  document.addEventListener("pointerdown", onPull);
  document.addEventListener("htmx:after:swap", show); // what is drawn may have grown, or be the first
  addKeys({ "+": () => zoom(scale * FACTOR), "=": () => zoom(scale * FACTOR), "-": () => zoom(scale / FACTOR), 0: fit });
  show();
}

function show() {
  document.querySelector(".graph-tools")?.toggleAttribute("data-ui", true);
  const graph = document.getElementById("graph");
  if (!graph) return;
  graph.style.width = `${graph.viewBox.baseVal.width * scale}px`;
  graph.style.height = `${graph.viewBox.baseVal.height * scale}px`;
  if (pointedAt) highlight(pointedAt);
}

function onClick(event) {
  const way = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (way === "all") fit();
  else if (way) zoom(way === "in" ? scale * FACTOR : scale / FACTOR);
}

// What is at this place of the box stays there; without one, what is in the middle.
function zoom(to, at) {
  const box = document.getElementById("graph-box");
  if (!box) return;
  const { x, y } = at || { x: box.clientWidth / 2, y: box.clientHeight / 2 };
  const was = scale;
  scale = Math.min(LARGEST, Math.max(SMALLEST, to));
  const [left, top] = [(box.scrollLeft + x) / was, (box.scrollTop + y) / was];
  show();
  box.scrollTo(left * scale - x, top * scale - y);
}

function fit() {
  const box = document.getElementById("graph-box");
  if (!box) return;
  const { width, height } = document.getElementById("graph").viewBox.baseVal;
  zoom(Math.min(1, box.clientWidth / width, box.clientHeight / height));
}

function onWheel(event) {
  const box = event.target.closest?.("#graph-box");
  if (!box || !event.ctrlKey) return;
  event.preventDefault();
  const frame = box.getBoundingClientRect();
  zoom(scale * Math.exp(-event.deltaY / 300), { x: event.clientX - frame.left, y: event.clientY - frame.top });
}

// Fingers scroll the box by themselves.
function onPull(event) {
  const box = event.target.closest?.("#graph-box");
  if (!box || event.pointerType !== "mouse" || event.button || event.target.closest("a")) return;
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

function onPoint(event) {
  const id = event.target.closest?.(".node")?.id || "";
  if (id !== pointedAt) highlight(id);
}

// What comes before and after the node that is pointed at is seen to.
function highlight(id) {
  pointedAt = id;
  const graph = document.getElementById("graph");
  if (!graph) return;
  const { after, before } = links();
  const near = new Set(id ? [...reach(id, after), ...reach(id, before)] : []);
  graph.toggleAttribute("data-ui", near.size > 1);
  for (const one of nodes()) one.classList.toggle("near", near.has(one.id));
  for (const way of graph.querySelectorAll(".way")) way.classList.toggle("near", way.id.split("-").slice(1).every((key) => near.has(`node-${key}`)));
}

function reach(id, side) {
  const found = new Set([id]);
  for (const one of found) for (const next of side.get(one) || []) found.add(next); // a set goes on with what is added meanwhile
  return found;
}
