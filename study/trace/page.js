"use strict";
// The page keeps what is chosen in state, and show() draws the present step from it.
// Numbers come from the forward pass (see trace.go); only the probabilities of the last
// step are computed here, from its logits.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const floats = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const T = data.tokens.length, {layers: L, heads: H, width: D} = data.model;
const embeddings = [floats(data.token_embeddings), floats(data.position_embeddings)];
embeddings.push(embeddings[0].map((x, i) => x + embeddings[1][i]));
const attention = floats(data.attention), logits = floats(data.logits);
// The last token is the one that the prediction is made at.
const state = {view: "tokens", position: T - 1, layer: 0, head: 0, lens: L};

const percent = p => p >= 0.9995 ? "100 %" : (100 * p).toFixed(p < 0.0995 ? 2 : 1) + " %";
const weight = (l, h, i, j) => attention[((l * H + h) * T * (T + 1) + i * (i + 1)) / 2 + j];
const count = n => n.toLocaleString("en");

function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

// piece is a token's text, its spaces visible.
function piece(text) {
  const e = element("span", {className: "piece"});
  for (const part of text.split(/( )/)) {
    if (part) e.append(part === " " ? element("span", {className: "space"}, "␣") : part);
  }
  return e;
}

// shade is the colour of an amount from 0 to 1, and whether writing on it is to be white.
const shade = p => { const t = p ** 0.7; return [255 * (1 - t), 255 - 195 * t, 255 - 145 * t].map(Math.round); };
const dark = p => p ** 0.7 > 0.6;
function paint(e, p) {
  e.style.backgroundColor = `rgb(${shade(p)})`;
  e.classList.toggle("dark", dark(p));
  e.style.color = dark(p) ? "#fff" : "#111";
}

// signed is the colour of x between -most (vermillion) and most (blue).
function signed(x, most) {
  const t = Math.max(-1, Math.min(1, x / most)), s = Math.abs(t);
  return (t < 0 ? [213, 94, 0] : [0, 114, 178]).map(c => Math.round(255 + (c - 255) * s));
}

// image draws columns × rows pixels, whose colours color gives.
function image(canvas, columns, rows, color) {
  canvas.width = columns;
  canvas.height = rows;
  const pixels = new ImageData(columns, rows);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) pixels.data.set([...color(i, j), 255], 4 * (i * columns + j));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// under is the row and column of an image below the mouse.
function under(event, canvas) {
  const r = canvas.getBoundingClientRect(), at = (x, from, size, n) => Math.max(0, Math.min(n - 1, Math.floor((x - from) / size * n)));
  return [at(event.clientY, r.top, r.height, canvas.height), at(event.clientX, r.left, r.width, canvas.width)];
}

// bars draws a table of shares: {text, p, before?, rank?, id?, out?}.
function bars(box, shares) {
  box.replaceChildren(...shares.map(s => {
    const bar = element("span", {className: "bar"}, element("span"));
    bar.firstChild.style.width = 100 * s.p + "%";
    if (s.before !== undefined) {
      bar.append(element("span", {className: "before"}));
      bar.lastChild.style.width = 100 * s.before + "%";
    }
    const row = element("div", {className: s.out ? "row out" : "row"},
      element("span", {className: "rank"}, s.rank ?? ""), piece(s.text), bar,
      element("span", {className: "percent now"}, s.out ? "–" : percent(s.p)),
      element("span", {className: "percent"}, s.before === undefined ? "" : "before: " + percent(s.before)));
    if (s.id !== undefined) Object.assign(row.dataset, {id: s.id, p: s.p});
    return row;
  }));
}

function name(position) { return piece(data.tokens[position].text); }

const views = {
  tokens() {
    const t = data.tokens[state.position], facts = [
      ["piece", piece(t.text)], ["id", `${count(t.id)} of ${count(data.model.vocabulary)}`], ["position", state.position],
      ["bytes", t.bytes || "none: a special token"],
      ["also at", data.tokens.flatMap((u, i) => u.id === t.id && i !== state.position ? [i] : []).join(", ") || "no other position"],
      ["prompt", `${count([...data.prompt].length)} characters, ${T} tokens`]];
    $("token-facts").replaceChildren(...facts.flatMap(([k, v]) => [element("dt", {}, k), element("dd", {}, v)]));
  },

  embeddings() {
    const kind = +document.querySelector("[name=vectors]:checked").value, i = state.position;
    const sizes = embeddings[2].map(Math.abs).sort(), most = sizes[Math.floor(0.995 * (sizes.length - 1))] || 1;
    const swatch = (x, label) => { const b = element("b"); b.style.background = `rgb(${signed(x, 1)})`; return element("span", {}, b, label); };
    $("scale").replaceChildren(swatch(-1, "−" + most.toPrecision(2)), swatch(0, "0"), swatch(1, most.toPrecision(2)));
    $("sum").replaceChildren(...["token", "position", "sum"].flatMap((what, k) => {
      const canvas = element("canvas");
      image(canvas, D, 1, (_, j) => signed(embeddings[k][i * D + j], most));
      canvas.setAttribute("aria-hidden", "true");
      const label = k === 0 ? ["wte[", count(data.tokens[i].id), "]  ", name(i)] : k === 1 ? [`+ wpe[${i}]`] : ["= x₀"];
      return [element("code", {}, ...label), canvas];
    }));
    const height = Math.max(3, Math.min(26, Math.floor(290 / T)));
    $("vector-names").replaceChildren(...(height >= 14 ? data.tokens.map((_, t) => {
      const li = element("li", {}, name(t));
      li.style.height = li.style.lineHeight = height + "px";
      li.style.fontWeight = t === i ? "bold" : "";
      return li;
    }) : []));
    image($("vector-map"), D, T, (t, j) => signed(embeddings[kind][t * D + j], most));
    $("vector-map").style.height = height * T + "px";
    $("vector-map").setAttribute("aria-label", `vectors of all ${T} tokens, ${D} numbers each`);
    $("vector-map").onmousemove = e => {
      const [t, j] = under(e, $("vector-map"));
      $("vector-value").replaceChildren(name(t), ` number ${j}: ${embeddings[kind][t * D + j].toPrecision(4)}`);
    };
    $("vector-value").textContent = `${D} numbers a token; point at one`;
  },

  attention() {
    const {layer: l, head: h, position: i} = state;
    $("layer").value = l;
    $("head").value = h;
    for (const b of $("heads").querySelectorAll("button")) {
      const on = +b.dataset.layer === l && +b.dataset.head === h;
      b.setAttribute("aria-pressed", on);
      b.tabIndex = on ? 0 : -1;
    }
    image($("weights"), T, T, (r, c) => c > r ? [244, 244, 244] : shade(weight(l, h, r, c)));
    for (const labels of [$("rows"), $("columns")]) [...labels.children].forEach((e, j) => e.classList.toggle("selected", j === i));
    $("weights").setAttribute("aria-label", `attention of layer ${l + 1}, head ${h + 1}: ${T} × ${T}`);
    data.tokens.forEach((_, j) => paint($("strip").children[j], j <= i ? weight(l, h, i, j) : 0));
    $("takes").replaceChildren(name(i), ` (position ${i}) takes from`);
    const from = data.tokens.map((t, j) => ({text: t.text, rank: j, p: j <= i ? weight(l, h, i, j) : 0})).slice(0, i + 1);
    bars($("taken"), from.sort((a, b) => b.p - a.p).slice(0, 12));
    $("weight").textContent = "point at a weight; click for its row";
  },

  lens() {
    const rows = [...$("guesses").tBodies[0].rows];
    rows.forEach((row, l) => [...row.cells].slice(1).forEach((cell, i) => cell.classList.toggle("selected", l === state.lens && i === state.position)));
    [...$("guesses").tHead.rows[0].cells].slice(1).forEach((c, i) => c.classList.toggle("selected", i === state.position));
    rows[state.lens].cells[state.position + 1].scrollIntoView({block: "nearest", inline: "nearest"});
    guess(state.lens, state.position);
  },

  next() {
    const temperature = +$("temperature").value, k = +$("top-k").value;
    $("temperature-value").textContent = temperature.toFixed(2);
    $("top-k-value").textContent = k || "all";
    const before = probabilities(1, 0), after = probabilities(temperature, k);
    const entropy = p => p.reduce((sum, x) => x > 0 ? sum - x * Math.log2(x) : sum, 0).toFixed(2);
    bars($("candidates"), data.likely.slice(0, 13).map((id, i) => ({
      id, text: data.pieces[id], rank: i + 1, p: after[id], before: before[id], out: after[id] === 0})));
    $("next-facts").textContent = `entropy ${entropy(before)} → ${entropy(after)} bits; ${count(after.filter(p => p > 0).length)} of ${count(logits.length)} tokens`;
  },
};

// probabilities of all tokens, as gpt sample draws them: temperature 0 takes the
// likeliest; of equals at the k-th place all are kept.
function probabilities(temperature, k) {
  if (temperature === 0) {
    const p = new Float64Array(logits.length);
    p[logits.indexOf(Math.max(...data.likely.map(id => logits[id])))] = 1;
    return p;
  }
  const largest = logits[data.likely[0]];
  const least = k > 0 && k < logits.length ? Float32Array.from(logits).sort()[logits.length - k] : -Infinity;
  const p = Float64Array.from(logits, x => x >= least ? Math.exp((x - largest) / temperature) : 0);
  const sum = p.reduce((a, b) => a + b);
  return p.map(x => x / sum);
}

// depth is what a row of the lens is called.
const depth = l => l === 0 ? "embeddings" : `layer ${l}`;

function guess(l, i) {
  const g = data.lens[l][i];
  $("guess-name").replaceChildren(`${depth(l)}, after `, name(i));
  bars($("guess"), g.top.map((s, n) => ({text: data.pieces[s.id], rank: n + 1, p: s.p})));
  $("guess-facts").textContent = `entropy ${g.entropy.toFixed(2)} bits; length of the vector ${g.norm.toPrecision(3)}`;
}

function show() {
  if (!(state.view in views)) state.view = "tokens";
  for (const s of document.querySelectorAll("section")) s.classList.toggle("shown", s.id === state.view);
  for (const b of document.querySelectorAll("nav button")) {
    if (b.dataset.view === state.view) b.setAttribute("aria-current", "step"); else b.removeAttribute("aria-current");
  }
  $("strip").className = state.view === "tokens" ? "large" : "";
  [...$("strip").children].forEach((b, i) => {
    b.setAttribute("aria-pressed", i === state.position);
    paint(b, 0);
  });
  $("strip").children[state.position].scrollIntoView({block: "nearest"});
  views[state.view]();
}

const choose = change => { Object.assign(state, change); show(); };
const clamp = (x, n) => Math.max(0, Math.min(n - 1, x));

function build() {
  const m = data.model;
  $("facts").textContent = `${m.arch}: ${L} layers × ${H} heads, ${count(D)} wide, ${count(m.vocabulary)} tokens, ${count(m.parameters)} parameters`;
  $("origin").textContent = data.run + (data.step ? `, step ${count(data.step)}` : "");
  $("strip").append(...data.tokens.map((t, i) => element("button", {onclick: () => choose({position: i})},
    name(i), element("span", {className: "id"}, String(t.id)))));
  for (const b of document.querySelectorAll("nav button")) b.onclick = () => { location.hash = b.dataset.view; };
  for (const r of document.querySelectorAll("[name=vectors]")) r.onchange = show;

  for (let l = 0; l < L; l++) $("layer").append(new Option(l + 1, l));
  for (let h = 0; h < H; h++) $("head").append(new Option(h + 1, h));
  $("layer").onchange = () => choose({layer: +$("layer").value});
  $("head").onchange = () => choose({head: +$("head").value});
  const size = Math.max(12, Math.min(72, Math.floor(410 / L) - 5, Math.floor(380 / H) - 5));
  $("heads").style.gridTemplateColumns = `repeat(${H + 1}, max-content)`;
  for (let l = 0; l < L; l++) for (let h = 0; h < H; h++) {
    if (h === 0) $("heads").append(element("span", {}, l + 1));
    const canvas = element("canvas");
    image(canvas, T, T, (r, c) => c > r ? [244, 244, 244] : shade(weight(l, h, r, c)));
    canvas.style.width = canvas.style.height = size + "px";
    const b = element("button", {title: `layer ${l + 1}, head ${h + 1}`, onclick: () => choose({layer: l, head: h})}, canvas);
    b.setAttribute("aria-label", b.title);
    Object.assign(b.dataset, {layer: l, head: h});
    $("heads").append(b);
  }
  // Labels that would be too small to read are left out, and those of columns are cut to
  // their height.
  if (T <= 26) {
    $("rows").append(...data.tokens.map((_, i) => element("li", {}, name(i))));
    $("columns").append(...data.tokens.map(t => element("li", {}, piece(t.text.length > 9 ? t.text.slice(0, 8) + "…" : t.text))));
  }
  $("weights").onclick = e => choose({position: under(e, $("weights"))[0]});
  $("weights").onmousemove = e => {
    const [i, j] = under(e, $("weights"));
    $("weight").replaceChildren(name(i), j > i ? " can't see the future" : " takes " + percent(weight(state.layer, state.head, i, j)) + " from ", j > i ? "" : name(j));
  };
  for (const legend of document.querySelectorAll(".shades")) legend.append(...[0, 0.05, 0.25, 0.5, 1].map(p => {
    const b = element("b");
    b.style.background = `rgb(${shade(p)})`;
    return element("span", {}, b, 100 * p + " %");
  }));

  const head = $("guesses").createTHead().insertRow(), body = $("guesses").createTBody();
  head.append(element("th"), ...data.tokens.map((_, i) => element("th", {}, name(i))));
  data.lens.forEach((guesses, l) => {
    const row = body.insertRow();
    row.append(element("th", {}, depth(l)));
    guesses.forEach((g, i) => {
      const cell = element("td", {onclick: () => choose({lens: l, position: i}), onmouseenter: () => guess(l, i)}, piece(data.pieces[g.top[0].id]));
      cell.title = percent(g.top[0].p);
      if (i + 1 < T && data.tokens[i + 1].id === g.top[0].id) cell.className = "right";
      paint(cell, g.top[0].p);
      row.append(cell);
    });
  });
  $("guesses").onmouseleave = show;

  $("temperature").value = data.temperature;
  $("top-k").max = Math.min(50, logits.length - 1);
  $("top-k").value = data.top_k;
  $("temperature").oninput = $("top-k").oninput = show;

  onhashchange = () => choose({view: location.hash.slice(1)});
  onkeydown = e => {
    if (e.ctrlKey || e.altKey || e.metaKey || e.target.tagName === "SELECT") return;
    const order = Object.keys(views);
    if (e.key >= "1" && e.key <= "5") { location.hash = order[e.key - 1]; return; }
    if (e.target.tagName === "INPUT") return;
    const lens = state.view === "lens", layer = by => lens ? {lens: clamp(state.lens + by, L + 1)} : {layer: clamp(state.layer + by, L)};
    const change = {
      ArrowLeft: {position: clamp(state.position - 1, T)}, ArrowRight: {position: clamp(state.position + 1, T)},
      ArrowUp: layer(-1), ArrowDown: layer(1),
      ",": {head: clamp(state.head - 1, H)}, ".": {head: clamp(state.head + 1, H)},
    }[e.key];
    if (change) { e.preventDefault(); choose(change); }
  };
  choose({view: location.hash.slice(1)});
}
build();
