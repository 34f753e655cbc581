"use strict";
// The page keeps what is shown in view and selected; show() draws all from them. Places
// come from the program (see atlas.go); the nearest words were computed there too, in all
// numbers of the vectors, since the plane shows neighbourhoods only roughly.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const count = n => n.toLocaleString("en");
const svg = (name, attributes = {}) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
};
function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

const words = data.words, index = new Map(words.map((w, i) => [w.text, i]));
const view = {x: 0, y: 0, scale: 1}; // a place p is at (x + scale·p.x, y − scale·p.y)
let selected = -1;

// Widths of labels don't change; measuring is slow.
const pen = document.createElement("canvas").getContext("2d"), size = 14;
pen.font = `bold ${size}px ${getComputedStyle(document.documentElement).fontFamily}`;
const widths = words.map(w => pen.measureText(w.label).width);

const dots = words.map((w, i) => {
  const c = svg("circle", {r: 3.5, fill: w.color});
  c.dataset.word = i;
  c.append(svg("title"));
  c.firstChild.textContent = w.label;
  return c;
});
const texts = words.map((w, i) => {
  const t = svg("text");
  t.textContent = w.label;
  t.dataset.word = i;
  return t;
});
const lines = data.lines.map(() => svg("line"));
$("dots").append(...dots);
$("labels").append(...texts);
$("lines").append(...lines);

const at = i => [view.x + view.scale * words[i].x, view.y - view.scale * words[i].y];

// Boxes that labels have taken, by cells, so that a label is compared with few others.
class Grid {
  cells = new Map();
  keys([left, top, right, bottom]) {
    const keys = [];
    for (let r = Math.floor(top / 40); r <= Math.floor(bottom / 40); r++)
      for (let c = Math.floor(left / 40); c <= Math.floor(right / 40); c++) keys.push(r * 100000 + c);
    return keys;
  }
  free(b) {
    return this.keys(b).every(k => !(this.cells.get(k) ?? []).some(o => b[0] < o[2] && o[0] < b[2] && b[1] < o[3] && o[1] < b[3]));
  }
  add(b) { for (const k of this.keys(b)) this.cells.set(k, [...this.cells.get(k) ?? [], b]); }
}

function show() {
  const {width, height} = $("map").getBoundingClientRect();
  const near = selected < 0 ? [] : words[selected].near.map(n => index.get(n.text)).filter(i => i !== undefined);
  const grid = new Grid(), labelled = new Set();
  // The selected word first, then its neighbours, then the others in their order.
  for (const i of new Set([...(selected < 0 ? [] : [selected]), ...near, ...words.keys()])) {
    const [x, y] = at(i), inside = x > -20 && y > -20 && x < width + 20 && y < height + 20;
    dots[i].style.display = inside ? "" : "none";
    if (!inside) continue;
    dots[i].setAttribute("cx", x.toFixed(1));
    dots[i].setAttribute("cy", y.toFixed(1));
    dots[i].classList.toggle("selected", i === selected);
    const w = widths[i];
    for (const left of [x + 6, x - 6 - w]) {
      const box = [left - 1, y - 0.65 * size, left + w + 1, y + 0.65 * size];
      if (box[0] < 0 || box[2] > width || box[1] < 0 || box[3] > height || !grid.free(box)) continue;
      grid.add(box);
      labelled.add(i);
      texts[i].setAttribute("x", left.toFixed(1));
      texts[i].setAttribute("y", (y + 0.35 * size).toFixed(1));
      texts[i].setAttribute("class", i === selected ? "selected" : near.includes(i) ? "near" : "");
      break;
    }
  }
  texts.forEach((t, i) => { t.style.display = labelled.has(i) ? "" : "none"; });
  const place = (line, a, b) => {
    const [x1, y1] = at(a), [x2, y2] = at(b);
    for (const [k, v] of Object.entries({x1, y1, x2, y2})) line.setAttribute(k, v.toFixed(1));
  };
  data.lines.forEach(([a, b], i) => place(lines[i], a, b));
  for (const e of $("lines").querySelectorAll(".near")) e.remove();
  for (const i of near) {
    const line = svg("line", {class: "near"});
    place(line, selected, i);
    $("lines").append(line);
  }
}

function fit() {
  const {width, height} = $("map").getBoundingClientRect();
  const xs = words.map(w => w.x), ys = words.map(w => w.y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  view.scale = Math.min((width - 120) / Math.max(right - left, 1e-9), (height - 60) / Math.max(high - low, 1e-9));
  view.x = width / 2 - view.scale * (left + right) / 2;
  view.y = height / 2 + view.scale * (low + high) / 2;
  smallest = view.scale / 4;
  show();
}
let smallest = 0;

// zoom keeps the place at (x, y) of the picture where it is.
function zoom(factor, x, y) {
  const {width, height} = $("map").getBoundingClientRect();
  x ??= width / 2;
  y ??= height / 2;
  const scale = Math.max(smallest, Math.min(smallest * 4000, view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  show();
}

function select(i, move) {
  selected = i;
  $("card").hidden = i < 0;
  if (i >= 0) {
    const w = words[i];
    $("word").textContent = w.label;
    $("facts").textContent = [w.count ? `${count(w.count)} times in the text` : "", data.groups[w.group] ?? ""].filter(Boolean).join(", ");
    $("near").replaceChildren(...w.near.map(n => {
      const j = index.get(n.text);
      const name = j === undefined ? element("span", {className: "absent"}, n.label) : element("button", {onclick: () => select(j, true)}, n.label);
      return element("tr", {}, element("td", {}, name), element("td", {}, n.cosine.toFixed(3)));
    }));
    if (move) {
      const {width, height} = $("map").getBoundingClientRect(), [x, y] = at(i);
      if (x < 60 || y < 30 || x > width - 60 || y > height - 30) {
        view.x += width / 2 - x;
        view.y += height / 2 - y;
      }
    }
  }
  show();
}

// search lists words that have the text, those that begin with it first.
function search() {
  const text = $("search").value.trim().toLowerCase();
  const found = !text ? [] : words.map((w, i) => [w.text.toLowerCase().indexOf(text), i]).filter(([p]) => p >= 0)
    .sort((a, b) => (a[0] > 0) - (b[0] > 0) || words[a[1]].text.length - words[b[1]].text.length || a[1] - b[1]).map(([, i]) => i);
  $("found").textContent = !text ? "" : found.length === 1 ? "1 word" : `${count(found.length)} words`;
  $("matches").replaceChildren(...found.slice(0, 50).map(i => element("li", {}, element("button", {onclick: () => select(i, true)}, words[i].label))));
  return found;
}
$("search").oninput = search;
$("search").onkeydown = e => {
  if (e.key === "Enter" && search().length) select(search()[0], true);
};

$("in").onclick = () => zoom(1.5);
$("out").onclick = () => zoom(1 / 1.5);
$("all").onclick = fit;
$("map").addEventListener("wheel", e => {
  e.preventDefault();
  const r = $("map").getBoundingClientRect();
  zoom(Math.exp(-Math.max(-200, Math.min(200, e.deltaY)) / 300), e.clientX - r.left, e.clientY - r.top);
}, {passive: false});
const pointers = new Map();
let moved = false;
$("map").onpointerdown = e => {
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  moved = false;
};
$("map").onpointermove = e => {
  const last = pointers.get(e.pointerId);
  if (!last) return;
  const r = $("map").getBoundingClientRect(), others = [...pointers].filter(([id]) => id !== e.pointerId);
  if (Math.hypot(e.clientX - last[0], e.clientY - last[1]) > 3 && !moved) {
    moved = true;
    $("map").setPointerCapture(e.pointerId);
    $("map").classList.add("dragged");
  }
  if (!moved) return;
  pointers.set(e.pointerId, [e.clientX, e.clientY]);
  if (others.length) { // two fingers
    const [x, y] = others[0][1], before = Math.hypot(last[0] - x, last[1] - y), after = Math.hypot(e.clientX - x, e.clientY - y);
    if (before > 1) zoom(after / before, x - r.left, y - r.top);
    return;
  }
  view.x += e.clientX - last[0];
  view.y += e.clientY - last[1];
  show();
};
$("map").onpointerup = $("map").onpointercancel = e => {
  pointers.delete(e.pointerId);
  $("map").classList.remove("dragged");
};
$("map").onclick = e => {
  if (moved) return;
  const i = e.target.dataset.word ?? e.target.parentNode.dataset?.word;
  select(i === undefined ? -1 : +i, false);
};
$("map").onkeydown = e => {
  const step = {ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60]}[e.key];
  if (step) {
    view.x += step[0];
    view.y += step[1];
    show();
  } else if (e.key === "+" || e.key === "=") zoom(1.5);
  else if (e.key === "-") zoom(1 / 1.5);
  else if (e.key === "0") fit();
  else if (e.key === "Escape") select(-1);
  else return;
  e.preventDefault();
};
onkeydown = e => {
  if (e.key === "/" && e.target !== $("search")) {
    e.preventDefault();
    $("search").focus();
  }
};

data.groups.forEach((name, g) => {
  const b = element("b");
  b.style.background = data.colors[g];
  $("legend").append(element("span", {}, b, name));
});
onresize = fit;
fit();
