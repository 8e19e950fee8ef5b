// Chapter 7: the reader draws a digit; encoder, decoder and both terms of the bound run in the page.

import { css, html } from "./core.js";
import { announcer, button, fillFacts, number } from "./controls.js";
import { decode, encode, forward, logLikelihood, rate, sigmoid, unpack } from "./network.js";
import { drawDigit, drawPlane, legend, picture } from "./plane.js";
import { drawingPad, inkOf } from "./drawing_pad.js";
import { normals } from "./random.js";

const SAMPLES = 32; // of z, for the mean of log p(x|z)
const SHOWN = 6;

/**
 * Center and scale ink as MNIST does: its longer side becomes 20 of 28 pixels, and its center of
 * mass the center of the picture. `ink` holds `side` by `side` values from 0 to 1.
 */
function centered(ink, side) {
  let [mass, sumX, sumY, left, right, top, bottom] = [0, 0, 0, side, -1, side, -1];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = ink[y * side + x];
      mass += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
      if (value < 0.1) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const out = new Float32Array(28 * 28);
  if (right < 0) return out;
  const step = Math.max(right - left + 1, bottom - top + 1) / 20; // of ink in one pixel
  const parts = Math.max(2, Math.ceil(step));
  for (let j = 0; j < 28; j++) {
    for (let i = 0; i < 28; i++) {
      let sum = 0;
      for (let b = 0; b < parts; b++) {
        const y = Math.floor(sumY / mass + (j - 14 + (b + 0.5) / parts) * step);
        for (let a = 0; a < parts; a++) {
          const x = Math.floor(sumX / mass + (i - 14 + (a + 0.5) / parts) * step);
          if (x >= 0 && y >= 0 && x < side && y < side) sum += ink[y * side + x];
        }
      }
      out[28 * j + i] = sum / parts ** 2;
    }
  }
  return out;
}

/** Estimate the bound's first term from the noise, pairs of numbers; return it with its error. */
function distortion(decoder, { mean, deviation }, pixels, eps) {
  const values = [];
  for (let k = 0; k + 1 < eps.length; k += 2) {
    const code = [mean[0] + deviation[0] * eps[k], mean[1] + deviation[1] * eps[k + 1]];
    values.push(logLikelihood(forward(decoder, code), pixels));
  }
  const average = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / (values.length - 1);
  return { value: -average, error: Math.sqrt(variance / values.length) };
}

export const mathematics = {
  centered,
  distortion,
  encode,
  forward,
  rate,
  sigmoid,
  unpack,
  normals,
};

export function build({ main, options, store, blob }) {
  const encoder = unpack(blob(options.encoder.key), options.encoder.sizes);
  const decoder = unpack(blob(options.decoder.key), options.decoder.sizes);
  const eps = normals(2 * SAMPLES, 7);
  const pad = drawingPad(store);
  const seen = picture("Your digit, centered and scaled");
  const plane = picture("The latent plane; an ellipse shows q(z|x)");
  const samples = Array.from({ length: SHOWN }, (_, i) => picture(`Reconstruction ${i + 1}`));
  const body = html("tbody");
  const status = announcer();
  const names = legend();
  const clear = button("Clear", () => store.set({ strokes: [] }));
  const undo = button("Undo a stroke", () =>
    store.set({ strokes: store.values.strokes.slice(0, -1) }),
  );
  const column = (title, ...children) =>
    html("div", {}, html("p", { class: "head" }, title), ...children);
  main.append(
    html(
      "div",
      { class: "row" },
      column("draw here", pad.canvas, html("div", { class: "buttons below" }, clear, undo)),
      column("what the model sees", seen),
      column("where q(z|x) lies", plane),
    ),
    names.line,
    column(
      `decoded from ${SHOWN} samples of q(z|x)`,
      html("div", { class: "buttons" }, ...samples),
    ),
    html("table", { class: "facts" }, body),
    html(
      "p",
      { class: "note" },
      "With the keyboard: arrow keys move the pen, the space bar puts it down and lifts it.",
    ),
    status.line,
  );
  return (width, colors) => {
    const wide = width < 620 ? Math.min(250, width - 2) : 224;
    pad.draw(wide, colors);
    const { side, ink } = inkOf(store.values.strokes);
    const gray = centered(ink, side);
    const pixels = gray.map((value) => (value > 0.5 ? 1 : 0));
    const blank = !pixels.some(Boolean);
    const q = encode(encoder, pixels);
    drawDigit(seen, 112, pixels, colors);
    names.recolor(colors);
    const on = drawPlane(plane, wide, options, colors);
    if (!blank) drawEllipses(on, q, colors);
    samples.forEach((canvas, i) => {
      const code = q.mean.map((m, d) => m + q.deviation[d] * eps[2 * i + d]);
      const decoded = blank ? new Float32Array(784) : decode(decoder, code, "logits");
      drawDigit(canvas, Math.min(96, Math.floor((width - 3 * 12) / 3) - 2), decoded, colors);
    });
    const text = blank
      ? "Nothing is drawn yet."
      : fillTable(body, q, distortion(decoder, q, pixels, eps));
    if (blank) body.replaceChildren();
    status.say(text);
  };
}

/** Draw the ellipses of one and of two standard deviations. */
function drawEllipses({ pen, X, Y }, { mean, deviation }, colors) {
  const unit = X(1) - X(0);
  for (const [width, color] of [
    [5, colors.paper],
    [2.2, colors.ink],
  ]) {
    pen.strokeStyle = css(color);
    pen.lineWidth = width;
    for (const radius of [1, 2]) {
      pen.beginPath();
      const size = deviation.map((s) => Math.max(1.5, s * unit * radius));
      pen.ellipse(X(mean[0]), Y(mean[1]), size[0], size[1], 0, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
}

function fillTable(body, q, { value, error }) {
  const nats = rate(q);
  const place = q.mean.map((m, d) => `${number(m)} ± ${number(q.deviation[d])}`).join(", ");
  fillFacts(body, [
    ["q(z|x): mean ± standard deviation of z₁, z₂", place],
    [
      `distortion, mean of ${SAMPLES} samples ± standard error`,
      `${number(value, 1)} ± ${number(error, 1)} nats`,
    ],
    ["rate, exact", `${number(nats, 1)} nats`],
    ["ELBO", `${number(-value - nats, 1)} ± ${number(error, 1)} nats`],
  ]);
  return `The mean of z is ${q.mean.map((m) => number(m, 1)).join(", ")}; the ELBO is ${number(-value - nats, 0)} nats.`;
}
