// Chapter 2: a mixture of Gaussians along a curve, and what the scale of the decoder makes of it.

import { html } from "./core.js";
import { announcer, logSlider, number, onArrows, onDrag, slider } from "./controls.js";
import { surface } from "./chart.js";
import { drawCut, drawMap } from "./marginal_drawing.js";

/** Weigh every `stride`-th code of the table by the prior, so that the weights add up to one. */
function weigh(codes, stride) {
  const kept = [];
  for (let k = 0; k < codes.length; k += stride) kept.push(k);
  const weights = kept.map((k) => Math.exp(-0.5 * codes[k] ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { kept, weights: weights.map((weight) => weight / total) };
}

function bells(axis, centers, scale) {
  const norm = 1 / (scale * Math.sqrt(2 * Math.PI));
  return centers.map((center) =>
    Float64Array.from(axis, (at) => norm * Math.exp(-0.5 * ((at - center) / scale) ** 2)),
  );
}

/** Return the density on a grid, row by row from y[0], of a mixture of round Gaussians. */
function density(x, y, points, weights, scale) {
  const across = bells(
    x,
    points.map((p) => p[0]),
    scale,
  );
  const upward = bells(
    y,
    points.map((p) => p[1]),
    scale,
  );
  const total = new Float64Array(x.length * y.length);
  for (let k = 0; k < points.length; k++) {
    const row = across[k];
    for (let j = 0; j < y.length; j++) {
      const factor = weights[k] * upward[k][j];
      if (factor < 1e-12) continue;
      const start = j * x.length;
      for (let i = 0; i < x.length; i++) total[start + i] += factor * row[i];
    }
  }
  return total;
}

/** Return each component's share of the density along the line at height `cut`, and their sum. */
function alongCut(x, cut, points, weights, scale) {
  const across = bells(
    x,
    points.map((p) => p[0]),
    scale,
  );
  const upward = bells(
    [cut],
    points.map((p) => p[1]),
    scale,
  );
  const parts = across.map((row, k) => row.map((value) => weights[k] * upward[k][0] * value));
  const sum = new Float64Array(x.length);
  for (const part of parts) part.forEach((value, i) => (sum[i] += value));
  return { parts, sum };
}

/** Count the maxima that stand out by a thousandth of the largest. */
function peaks(values) {
  const least = Math.max(...values) / 1000;
  let count = 0;
  for (let i = 1; i < values.length - 1; i++) {
    if (values[i] > least && values[i] > values[i - 1] && values[i] >= values[i + 1]) count += 1;
  }
  return count;
}

export const mathematics = { weigh, density, alongCut, peaks };

const line = (count, extent) =>
  Float64Array.from({ length: count }, (_, i) => -extent + (2 * extent * i) / (count - 1));

export function build({ main, options, store }) {
  const { codes, points, extent, strides } = options;
  const map = html("canvas", {
    class: "plane",
    tabindex: "0",
    role: "slider",
    "aria-label": "Height of the cut through the density",
    "aria-orientation": "vertical",
    "aria-valuemin": -extent,
    "aria-valuemax": extent,
  });
  const chart = surface("The density along the cut, and the components that it adds up");
  const note = html("p", { class: "note" });
  const count = (index) => Math.floor((codes.length - 1) / strides[index]) + 1;
  const controls = html(
    "div",
    { class: "controls" },
    logSlider(store, {
      key: "scale",
      label: "scale σ of the decoder",
      range: [0.05, 1.2],
      show: (v) => number(v),
    }),
    slider(store, {
      key: "stride",
      label: "components K",
      positions: [0, strides.length - 1, 1],
      show: (index) => number(count(index), 0),
    }),
    slider(store, {
      key: "cut",
      label: "height of the cut",
      positions: [-extent, extent, 0.05],
      show: (v) => number(v),
    }),
  );
  const status = announcer();
  const right = html("div", {}, html("p", { class: "head" }, "along the cut"), chart);
  const left = html("div", {}, html("p", { class: "head" }, "the marginal p(x)"), map);
  const row = html("div", { class: "row" }, left, right);
  main.append(row, controls, note, status.line);

  let side = 300;
  const moveTo = (cut) => store.set({ cut: Math.max(-extent, Math.min(extent, cut)) });
  onDrag(map, (_, y, phase) => phase !== "up" && moveTo(extent - (2 * extent * y) / side));
  onArrows(map, (dx, dy) => moveTo(store.values.cut + 0.05 * (dx + dy)));

  return (width, colors) => {
    side = width < 620 ? Math.min(width - 2, 360) : 330;
    const { scale, stride, cut } = store.values;
    const { kept, weights } = weigh(codes, strides[stride]);
    const centers = kept.map((k) => points[k]);
    const axis = line(110, extent);
    const values = density(axis, axis.slice().reverse(), centers, weights, scale);
    drawMap(map, side, { values, points, centers, weights, scale, cut, extent, colors });
    const x = line(241, extent);
    const { parts, sum } = alongCut(x, cut, centers, weights, scale);
    drawCut(chart, width < 620 ? width : width - side - 30, side, { x, parts, sum, extent });
    const found = peaks(sum);
    const text = `${count(stride)} Gaussians, σ = ${number(scale)}: ${found} ${found === 1 ? "peak" : "peaks"} along the cut.`;
    note.textContent = text;
    map.setAttribute("aria-valuenow", number(cut).replace("−", "-"));
    map.setAttribute("aria-valuetext", `${number(cut)}, ${found} peaks`);
    status.say(text);
  };
}
