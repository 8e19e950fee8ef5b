// Chapter 4: one x, its posterior, a q that the reader moves, and the bound's exact bookkeeping.

import { html, svg, animate, wantsStillness } from "./core.js";
import { announcer, button, number, onArrows, onDrag } from "./controls.js";
import { surface } from "./chart.js";
import { drawBars, drawCurves, rounded } from "./elbo_gap_drawing.js";

const LOG_2PI = Math.log(2 * Math.PI);

/** Return posterior and log p(x) of the linear-Gaussian model with one latent dimension. */
function exact({ weightSquare, weightResidual, residualSquare, dataDim, scale }) {
  const noise = scale ** 2;
  const precision = 1 + weightSquare / noise;
  const mean = weightResidual / noise / precision;
  const quadratic = (residualSquare - weightResidual ** 2 / (noise + weightSquare)) / noise;
  return {
    mean,
    deviation: 1 / Math.sqrt(precision),
    logMarginal: -0.5 * (quadratic + dataDim * (LOG_2PI + Math.log(noise)) + Math.log(precision)),
  };
}

/** Return KL(N(m, s^2) || N(mean, deviation^2)) in nats. */
function kl(m, s, mean, deviation) {
  return Math.log(deviation / s) + (s ** 2 + (m - mean) ** 2) / (2 * deviation ** 2) - 0.5;
}

/** Return the bound of q = N(m, s^2) from its own two terms: no posterior, no log p(x). */
function bound({ weightSquare, weightResidual, residualSquare, dataDim, scale }, m, s) {
  const noise = scale ** 2;
  const distance = residualSquare - 2 * m * weightResidual + (m ** 2 + s ** 2) * weightSquare;
  const distortion = 0.5 * (distance / noise + dataDim * (LOG_2PI + Math.log(noise)));
  const rate = kl(m, s, 0, 1);
  return { distortion, rate, elbo: -distortion - rate };
}

/** Return the gradient of the bound in m and log s. */
function ascent({ mean, deviation }, m, s) {
  return [-(m - mean) / deviation ** 2, 1 - (s / deviation) ** 2];
}

export const mathematics = { exact, kl, bound, rounded, ascent };

export function build({ main, options, store }) {
  const truth = exact(options);
  const view = { ...options.view, X: null, Y: null };
  const curves = surface("The posterior, and the q that you move", "group");
  const bars = surface("Bars: the bound, the gap and log p(x)");
  const clamp = (value, [low, high]) => Math.max(low, Math.min(high, value));
  const setMean = (m) => store.set({ mean: clamp(m, view.means) });
  const setWidth = (s) => store.set({ deviation: clamp(s, view.widths) });
  const center = handle("mean of q", view.means, "horizontal");
  const edge = handle("standard deviation of q", view.widths, "horizontal");
  onArrows(center, (dx, dy) => setMean(store.values.mean + 0.02 * (dx + dy)));
  onArrows(edge, (dx, dy) => setWidth(store.values.deviation * 1.05 ** (dx + dy)));
  const at = (x) => view.X.inverse(x);
  onHandle(curves, center, (x) => setMean(at(x)));
  onHandle(curves, edge, (x) => setWidth(at(x) - store.values.mean));

  let stop = () => {};
  const climb = () => {
    stop();
    if (wantsStillness()) return store.set({ mean: truth.mean, deviation: truth.deviation });
    stop = animate(() => {
      const { mean, deviation } = store.values;
      const [dm, ds] = ascent(truth, mean, deviation);
      store.set({
        mean: mean + 0.06 * truth.deviation ** 2 * dm,
        deviation: deviation * Math.exp(clamp(0.06 * ds, [-0.06, 0.06])),
      });
      return Math.abs(dm) > 1e-3 || Math.abs(ds) > 1e-3;
    });
    return undefined;
  };
  const reset = () => {
    stop();
    store.set(options.start);
  };
  const status = announcer();
  const buttons = html(
    "div",
    { class: "buttons" },
    button("Climb the bound", climb),
    button("Start again", reset),
  );
  main.append(curves, bars, buttons, status.line);
  main.addEventListener("pointerdown", (event) => event.target.closest("button") || stop());

  return (width) => {
    const { mean, deviation } = store.values;
    const terms = bound(options, mean, deviation);
    const gap = kl(mean, deviation, truth.mean, truth.deviation);
    drawCurves(curves, width, { view, truth, mean, deviation, center, edge });
    drawBars(bars, width, { truth, gap, terms, floor: view.floor });
    status.say(`The bound is ${number(terms.elbo)} nats, ${number(gap)} below log p(x).`);
  };
}

function handle(label, [low, high], orientation) {
  const dot = svg("circle", {
    r: 8,
    fill: "var(--coral)",
    stroke: "var(--paper)",
    "stroke-width": 2,
  });
  const reach = svg("circle", { r: 22, fill: "transparent" });
  const role = {
    role: "slider",
    tabindex: "0",
    "aria-label": label,
    "aria-orientation": orientation,
  };
  const style = "cursor: ew-resize";
  return svg("g", { ...role, "aria-valuemin": low, "aria-valuemax": high, style }, reach, dot);
}

/** Report where a handle is dragged to, in pixels of the chart. */
function onHandle(chart, grip, move) {
  onDrag(grip, (x, y, phase) => {
    if (phase === "up") return;
    move(x + grip.getBoundingClientRect().left - chart.getBoundingClientRect().left);
  });
}
