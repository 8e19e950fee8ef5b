// Chapter 3: direct Monte Carlo on a model whose log p(x) is known, run after run.

import { html } from "./core.js";
import { announcer, button, fillFacts, number, slider } from "./controls.js";
import { surface } from "./chart.js";
import { drawRuns } from "./monte_carlo_drawing.js";
import { normals } from "./random.js";

const RUNS = 10;
const POWERS = 14; // at most 2 ** 14 samples in a run

/** Return the exact quantities of the model with so many latent dimensions, at its typical x. */
function exact({ length, scale, dataDim }, latentDim) {
  const ratio = (length / scale) ** 2;
  const informative = length ** 2 + scale ** 2;
  const logs = latentDim * Math.log(informative) + (dataDim - latentDim) * Math.log(scale ** 2);
  const mean = length / Math.sqrt(informative);
  const variance = 1 / (1 + ratio);
  return {
    logMarginal: -0.5 * (logs + dataDim * (1 + Math.log(2 * Math.PI))),
    mean, // of the posterior, in each latent dimension
    variance,
    kl: 0.5 * latentDim * (variance + mean ** 2 - 1 - Math.log(variance)),
  };
}

/** Return log p(x|z) - log p(x) in one latent dimension: the posterior's density over the prior's. */
function logRatio(z, { mean, variance }) {
  return 0.5 * (z * z - (z - mean) ** 2 / variance - Math.log(variance));
}

/** Return the log of the mean weight, its reported standard error, and the effective sample size. */
function summarize(logWeights, count = logWeights.length) {
  let largest = -Infinity;
  for (let k = 0; k < count; k++) largest = Math.max(largest, logWeights[k]);
  let [sum, squares] = [0, 0];
  for (let k = 0; k < count; k++) {
    const weight = Math.exp(logWeights[k] - largest);
    sum += weight;
    squares += weight * weight;
  }
  const effective = (sum * sum) / squares;
  const error = count > 1 ? Math.sqrt((count / effective - 1) / (count - 1)) : NaN;
  return { value: largest + Math.log(sum / count), error, effective };
}

/** Return the estimates of one run after 1, 2, 4, ... samples. */
function running(logWeights, powers) {
  const out = [];
  let [largest, sum, k] = [-Infinity, 0, 0];
  for (let power = 0; power <= powers; power++) {
    for (; k < 2 ** power; k++) {
      const value = logWeights[k];
      if (value > largest) {
        sum = sum * Math.exp(largest - value) + 1;
        largest = value;
      } else sum += Math.exp(value - largest);
    }
    out.push(largest + Math.log(sum / k));
  }
  return out;
}

export const mathematics = { exact, logRatio, summarize, running, normals };

/** Hold log weights of all runs; a latent dimension more costs one column of noise. */
function pool(options) {
  const size = RUNS * 2 ** POWERS;
  let [seed, reached, sums] = [null, 0, null];
  const noise = new Float64Array(size);
  return (wantedSeed, latentDim) => {
    if (seed !== wantedSeed || latentDim < reached) {
      [seed, reached, sums] = [wantedSeed, 0, new Float64Array(size)];
    }
    const facts = exact(options, latentDim);
    while (reached < latentDim) {
      reached += 1;
      normals(size, seed, reached, noise);
      for (let k = 0; k < size; k++) sums[k] += logRatio(noise[k], facts);
    }
    return Array.from({ length: RUNS }, (_, run) =>
      sums.subarray(run * 2 ** POWERS, (run + 1) * 2 ** POWERS),
    );
  };
}

export function build({ main, options, store }) {
  const draws = pool(options);
  const chart = surface(
    "Estimates of log p(x) over the number of samples, ten runs, and the exact value",
  );
  const rows = html("tbody");
  const status = announcer();
  const controls = html(
    "div",
    { class: "controls" },
    slider(store, {
      key: "latentDim",
      label: "latent dimensions L",
      positions: [1, 50, 1],
      show: (v) => number(v, 0),
    }),
    slider(store, {
      key: "power",
      label: "samples K",
      positions: [0, POWERS, 1],
      show: (power) => number(2 ** power, 0),
    }),
    button("Draw again", () => store.set({ seed: store.values.seed + 1 })),
  );
  main.append(chart, controls, html("table", { class: "facts" }, rows), status.line);

  let last = { key: null };
  return (width) => {
    const { latentDim, power, seed } = store.values;
    const facts = exact(options, latentDim);
    if (last.key !== `${latentDim} ${seed}`) {
      const runs = draws(seed, latentDim);
      last = { key: `${latentDim} ${seed}`, runs, lines: runs.map((run) => running(run, POWERS)) };
    }
    const first = summarize(last.runs[0], 2 ** power);
    drawRuns(chart, width, last.lines, power, first, facts.logMarginal);
    const ends = last.lines.map((curve) => curve[power]);
    const mean = ends.reduce((a, b) => a + b) / RUNS;
    const spread = Math.sqrt(ends.reduce((a, b) => a + (b - mean) ** 2, 0) / (RUNS - 1));
    const truth = facts.logMarginal;
    fillFacts(rows, [
      ["exact log p(x)", `${number(truth)} nats`],
      [
        "one run: estimate ± reported standard error",
        `${number(truth + first.value)} ± ${Number.isNaN(first.error) ? "?" : number(first.error)} nats`,
      ],
      ["ten runs: mean ± standard deviation", `${number(truth + mean)} ± ${number(spread)} nats`],
      [
        "effective sample size of the one run",
        `${number(first.effective, 1)} of ${number(2 ** power, 0)}`,
      ],
      [
        "information in x, and samples that one nat asks for",
        `${number(facts.kl, 1)} nats, about ${tenPower(facts.kl)}`,
      ],
    ]);
    const gap = number(Math.abs(mean), 1);
    status.say(
      `${latentDim} dimensions, ${2 ** power} samples: the mean of ten runs is ${gap} nats ${mean < 0 ? "below" : "above"} the exact value.`,
    );
  };
}

function tenPower(nats) {
  const digits = Math.floor(nats / Math.LN10);
  if (digits < 6) return number(Math.exp(nats), 0);
  const raised = [...String(digits)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `${number(Math.exp(nats - digits * Math.LN10), 0)} × 10${raised}`;
}
