// Chapter 5: the pathwise and the score-function estimate of one gradient, from the same noise.

import { html, svg } from "./core.js";
import { announcer, button, checkbox, number, onArrows, onDrag, slider } from "./controls.js";
import { surface } from "./chart.js";
import { drawArrows, drawPlane } from "./gradients_drawing.js";
import { normals } from "./random.js";

const MOST = 1000;
const COUNTS = [1, 2, 5, 10, 20, 50, 100];

/** Return the gradient of the bound in (mean, log variance); the posterior is N(center, 1/precision). */
function exactGradient({ center, precision }, mean, logVariance) {
  return [-precision * (mean - center), 0.5 * (1 - precision * Math.exp(logVariance))];
}

/** Return one estimate of each kind, averaged over the draws of eps. */
function estimates({ center, precision, logMarginal }, mean, logVariance, eps, baseline) {
  const scale = Math.exp(logVariance / 2);
  const count = eps.length;
  const values = eps.map((e) => {
    const distance = mean + scale * e - center;
    const logRatio = Math.log(precision) + logVariance + e * e - precision * distance ** 2;
    return logMarginal + 0.5 * logRatio;
  });
  const sum = values.reduce((a, b) => a + b, 0);
  const [path, score] = [
    [0, 0],
    [0, 0],
  ];
  eps.forEach((e, k) => {
    const slope = -precision * (mean + scale * e - center);
    path[0] += slope / count;
    path[1] += (0.5 + 0.5 * slope * scale * e) / count;
    const value = baseline && count > 1 ? values[k] - (sum - values[k]) / (count - 1) : values[k];
    score[0] += (value * e) / scale / count;
    score[1] += (0.5 * value * (e * e - 1)) / count;
  });
  return { path, score };
}

/** Return mean and variance of pairs, component by component. */
function moments(pairs) {
  const mean = [0, 1].map((i) => pairs.reduce((sum, pair) => sum + pair[i], 0) / pairs.length);
  const variance = [0, 1].map(
    (i) => pairs.reduce((sum, pair) => sum + (pair[i] - mean[i]) ** 2, 0) / (pairs.length - 1),
  );
  return { mean, variance };
}

/** Return the first `drawn` estimates; the i-th has noise of its own, whatever the rest. */
function accumulate(problem, { mean, logVariance, samples, baseline, seed }, drawn) {
  const kinds = { path: [], score: [] };
  for (let i = 0; i < drawn; i++) {
    const eps = normals(COUNTS[samples], seed, i);
    const { path, score } = estimates(problem, mean, logVariance, eps, baseline);
    kinds.path.push(path);
    kinds.score.push(score);
  }
  return kinds;
}

export const mathematics = { exactGradient, estimates, moments, normals };

export function build({ main, options, store }) {
  const { problem, view } = options;
  const plane = surface("Contours of the bound over the mean and the log variance of q", "group");
  const arrows = surface("Estimates of the gradient as arrows from one point");
  const grip = svg(
    "g",
    {
      role: "application",
      tabindex: "0",
      "aria-label": "q: its mean and log variance; move it with the arrow keys",
      style: "cursor: move",
    },
    svg("circle", { r: 22, fill: "transparent" }),
    svg("circle", { r: 8, fill: "var(--ink)", stroke: "var(--paper)", "stroke-width": 2 }),
  );
  const scales = {};
  const clamp = (value, [low, high]) => Math.max(low, Math.min(high, value));
  const moveTo = (mean, logVariance) =>
    store.set({
      mean: clamp(mean, view.means),
      logVariance: clamp(logVariance, view.logVariances),
    });
  onArrows(grip, (dx, dy) =>
    moveTo(
      store.values.mean + (dx * (view.means[1] - view.means[0])) / 60,
      store.values.logVariance + 0.1 * dy,
    ),
  );
  onDrag(
    plane,
    (x, y, phase) => phase !== "up" && moveTo(scales.X.inverse(x), scales.Y.inverse(y)),
  );

  const add = (count) => () => store.set({ drawn: Math.min(MOST, store.values.drawn + count) });
  const clear = () => store.set({ drawn: 0, seed: store.values.seed + 1 });
  const body = html("tbody");
  const head = ["estimator", "∂/∂μ", "∂/∂ℓ", "variance"].map((name) =>
    html("th", { scope: "col" }, name),
  );
  const caption = html("caption", {});
  const table = html("table", {}, caption, html("thead", {}, html("tr", {}, ...head)), body);
  const status = announcer();
  const controls = html(
    "div",
    { class: "controls" },
    slider(store, {
      key: "samples",
      label: "samples K in each estimate",
      positions: [0, COUNTS.length - 1, 1],
      show: (index) => number(COUNTS[index], 0),
    }),
    checkbox(store, { key: "baseline", label: "leave-one-out baseline (from K = 2)" }),
  );
  const row = html(
    "div",
    { class: "row" },
    html("div", {}, html("p", { class: "head" }, "where q is"), plane),
    html("div", {}, html("p", { class: "head" }, "estimates of the gradient there"), arrows),
  );
  const buttons = [
    button("One estimate", add(1)),
    button("A hundred", add(100)),
    button("Clear", clear),
  ];
  main.append(row, html("div", { class: "buttons" }, ...buttons), controls, table, status.line);

  return (width) => {
    const { mean, logVariance, drawn } = store.values;
    const truth = exactGradient(problem, mean, logVariance);
    const kinds = accumulate(problem, store.values, drawn);
    const spread = accumulate(problem, { ...store.values, seed: 0 }, 300).score;
    const narrow = width < 620;
    Object.assign(
      scales,
      drawPlane(plane, narrow ? width : 270, { problem, view, grip, mean, logVariance }),
    );
    drawArrows(arrows, narrow ? width : width - 300, { kinds, truth, spread });
    caption.textContent = `${number(drawn, 0)} estimates: mean ± standard error, and the total variance of one`;
    fillTable(body, truth, kinds, drawn);
    status.say(`${drawn} estimates at mean ${number(mean)}, log variance ${number(logVariance)}.`);
  };
}

function fillTable(body, truth, kinds, drawn) {
  const row = (color, name, cells) => {
    const key = html("span", { class: "key", style: `background: var(--${color})` });
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, key, name),
      ...cells.map((cell) => html("td", {}, cell)),
    );
  };
  const found = (pairs) => {
    if (drawn < 2)
      return pairs.length ? [number(pairs[0][0]), number(pairs[0][1]), "–"] : ["–", "–", "–"];
    const { mean, variance } = moments(pairs);
    const cells = mean.map(
      (value, i) => `${number(value)} ± ${number(Math.sqrt(variance[i] / drawn))}`,
    );
    return [...cells, number(variance[0] + variance[1], 1)];
  };
  body.replaceChildren(
    row("ink", "exact", [number(truth[0]), number(truth[1]), "0"]),
    row("accent", "pathwise", found(kinds.path)),
    row("coral", "score function", found(kinds.score)),
  );
}
