// Chapter 14: the negative binomial beside the Poisson distribution of the same mean.

import { html, svg } from "./core.js";
import { announcer, fillFacts, logSlider, number } from "./controls.js";
import { frame, surface, ticks } from "./chart.js";

/** Return the negative binomial's probabilities of 0, 1, ..., `most`, by their ratios. */
function negativeBinomial(mean, theta, most) {
  let log = -theta * Math.log1p(mean / theta);
  const out = [Math.exp(log)];
  for (let x = 1; x <= most; x++) {
    log += Math.log((x - 1 + theta) / x) - Math.log1p(theta / mean);
    out.push(Math.exp(log));
  }
  return out;
}

/** Return the Poisson distribution's probabilities of 0, 1, ..., `most`. */
function poisson(mean, most) {
  let log = -mean;
  const out = [Math.exp(log)];
  for (let x = 1; x <= most; x++) {
    log += Math.log(mean / x);
    out.push(Math.exp(log));
  }
  return out;
}

/** Return what the table below the bars says. */
function facts(mean, theta) {
  const variance = mean + mean ** 2 / theta;
  const zeros = Math.exp(-theta * Math.log1p(mean / theta));
  return { variance, ratio: variance / mean, zeros, poissonZeros: Math.exp(-mean) };
}

export const mathematics = { negativeBinomial, poisson, facts };

function draw(chart, width, bars, dots) {
  const most = bars.length - 1;
  const top = 1.08 * Math.max(...bars, ...dots);
  const { X, Y, marks, base } = frame(chart, {
    width,
    height: Math.min(330, 0.7 * width),
    margin: [26, 14, 42, 46],
    x: { domain: [-0.6, most + 0.6], label: "count x" },
    y: {
      domain: [0, top],
      ticks: ticks(0, top, 4),
      label: "probability",
    },
  });
  const wide = 0.8 * (X(1) - X(0));
  bars.forEach((p, x) => {
    const place = { x: X(x) - wide / 2, y: Y(p), width: wide, height: base - Y(p) };
    marks.append(svg("rect", { ...place, fill: "var(--accent)", "fill-opacity": 0.55 }));
  });
  dots.forEach((p, x) => {
    if (p > top / 500) {
      marks.append(svg("circle", { cx: X(x), cy: Y(p), r: 3.4, fill: "var(--coral)" }));
    }
  });
}

export function build({ main, options, store }) {
  const chart = surface("Probabilities of counts: bars negative binomial, dots Poisson");
  const key = html("p", { class: "note" }, "Bars: negative binomial. Dots: Poisson, same mean.");
  const rows = html("tbody");
  const status = announcer();
  const controls = html(
    "div",
    { class: "controls" },
    logSlider(store, {
      key: "mean",
      label: "mean μ",
      range: options.means,
      show: (v) => number(v),
    }),
    logSlider(store, {
      key: "theta",
      label: "inverse dispersion θ",
      range: options.thetas,
      show: (v) => number(v, v < 10 ? 2 : 0),
    }),
  );
  main.append(chart, key, controls, html("table", { class: "facts" }, rows), status.line);

  return (width) => {
    const { mean, theta } = store.values;
    const most = Math.max(10, Math.ceil(3.5 * mean));
    draw(chart, width, negativeBinomial(mean, theta, most), poisson(mean, most));
    const { variance, ratio, zeros, poissonZeros } = facts(mean, theta);
    fillFacts(rows, [
      ["variance μ + μ²/θ", number(variance)],
      ["variance over mean (Poisson: 1)", number(ratio)],
      ["share of zeros", `${number(100 * zeros, 1)} %`],
      ["share of zeros under Poisson", `${number(100 * poissonZeros, 1)} %`],
    ]);
    const words = `mean ${number(mean)}, variance ${number(variance)}`;
    status.say(`${words}, ${number(100 * zeros, 1)} percent zeros.`);
  };
}
