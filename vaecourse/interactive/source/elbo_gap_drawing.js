// The drawings of the figure on the bound's gap.

import { svg } from "./core.js";
import { number } from "./controls.js";
import { frame, path } from "./chart.js";

const density = (z, m, s) => Math.exp(-0.5 * ((z - m) / s) ** 2) / (s * Math.sqrt(2 * Math.PI));

/** Round two parts and their sum to `digits`, so that the printed numbers add up, too. */
export function rounded(whole, part, digits) {
  const unit = 10 ** digits;
  const [a, b] = [Math.round(whole * unit), Math.round(part * unit)];
  return { whole: a / unit, part: b / unit, rest: (a - b) / unit };
}

function place(grip, x, y, value) {
  grip.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  grip.setAttribute("aria-valuenow", value.toFixed(2));
}

/** Draw posterior, prior and q, and put the handles on q. */
export function drawCurves(chart, width, { view, truth, mean, deviation, center, edge }) {
  const [low, high] = view.axis;
  const zs = Array.from({ length: 301 }, (_, i) => low + ((high - low) * i) / 300);
  const top =
    1.15 *
    Math.max(density(0, 0, truth.deviation), density(0, 0, Math.max(deviation, view.widths[0])));
  const frameOf = { width, height: Math.min(300, 0.62 * width), margin: [26, 12, 42, 12] };
  const { X, Y, marks, base } = frame(chart, {
    ...frameOf,
    x: { domain: view.axis, label: "z" },
    y: { domain: [0, top] },
  });
  Object.assign(view, { X, Y });
  const posterior = zs.map((z) => density(z, truth.mean, truth.deviation));
  const area = `${path(zs, posterior, X, Y)}L${X(high)} ${base}L${X(low)} ${base}Z`;
  const prior = path(
    zs,
    zs.map((z) => density(z, 0, 1)),
    X,
    Y,
  );
  const q = path(
    zs,
    zs.map((z) => density(z, mean, deviation)),
    X,
    Y,
  );
  const stroke = (d, color, more) =>
    svg("path", { d, fill: "none", stroke: `var(--${color})`, "stroke-width": 2.5, ...more });
  marks.append(
    svg("path", { d: area, fill: "var(--accent)", "fill-opacity": 0.16 }),
    stroke(path(zs, posterior, X, Y), "accent"),
    stroke(prior, "muted", { "stroke-dasharray": "2 4", "stroke-width": 1.5 }),
    stroke(q, "coral"),
  );
  const peak = Y(density(0, 0, deviation));
  const shoulder = Y(density(1, 0, 1) / deviation);
  const label = (x, y, text, color, anchor = "middle") =>
    svg("text", { x, y, "text-anchor": anchor, style: `fill: var(--${color})` }, text);
  marks.append(
    label(X(-0.9), Y(density(0.9, 0, 1)) - 5, "prior p(z)", "muted", "end"),
    label(
      X(truth.mean) + 10,
      Y(density(0, 0, truth.deviation)) - 8,
      "posterior p(z|x)",
      "accent",
      "start",
    ),
    label(X(mean) - 14, peak - 12, "q(z|x)", "coral", "end"),
    svg("line", {
      x1: X(mean),
      x2: X(mean),
      y1: peak,
      y2: base,
      stroke: "var(--coral)",
      "stroke-dasharray": "3 3",
    }),
    svg("line", {
      x1: X(mean),
      x2: X(mean + deviation),
      y1: shoulder,
      y2: shoulder,
      stroke: "var(--coral)",
    }),
    center,
    edge,
  );
  place(center, X(mean), peak, mean);
  place(edge, X(mean + deviation), shoulder, deviation);
}

/** Draw the bound's terms as bars that hang from zero. */
export function drawBars(chart, width, { truth, gap, terms, floor }) {
  const low = Math.min(floor, terms.elbo * 1.04);
  const { X, marks } = frame(chart, {
    width,
    height: 196,
    margin: [6, 12, 42, 12],
    x: { domain: [low, 0], label: "nats" },
    y: { domain: [0, 1] },
  });
  const shown = rounded(truth.logMarginal, gap, 2);
  const split = rounded(shown.rest, -terms.rate, 2);
  const bar = (row, from, to, color, text) => {
    const [left, right] = [X(Math.min(from, to)), X(Math.max(from, to))];
    const y = 10 + 50 * row;
    const rect = {
      x: left,
      y: y + 17,
      width: right - left,
      height: 20,
      fill: `var(--${color})`,
      rx: 2,
    };
    return [svg("rect", rect), { text, x: left, right, y: y + 11, color }];
  };
  const drawn = [
    bar(0, 0, truth.logMarginal, "accent", `log p(x) = ${number(shown.whole)}`),
    bar(
      0,
      truth.logMarginal,
      truth.logMarginal - gap,
      "coral",
      `− KL${width < 480 ? "" : "(q‖posterior)"} = ${number(-shown.part)}`,
    ),
    bar(1, 0, terms.elbo, "ink", `ELBO = ${number(shown.rest)}`),
    bar(2, 0, -terms.distortion, "muted", `− distortion = ${number(split.rest)}`),
    bar(2, -terms.distortion, terms.elbo, "violet", `− rate = ${number(split.part)}`),
  ];
  drawn.forEach(([rect]) => marks.append(rect));
  const edgeOf = X(terms.elbo);
  marks.append(
    svg("line", {
      x1: edgeOf,
      x2: edgeOf,
      y1: 4,
      y2: 154,
      stroke: "var(--ink)",
      "stroke-dasharray": "3 3",
    }),
  );
  drawn.forEach(([, { text, x, right, y }], i) => {
    const outer = i === 1 || i === 4; // its label starts at its own left end, if there is room
    const [own, other] = [text, drawn[i - (outer ? 1 : 0)][1].text].map(
      (words) => 7.2 * words.length,
    );
    const beside = X(0) - x < own + other && x > own; // else the two labels would meet
    const look = outer
      ? { x: beside ? x - 6 : x, "text-anchor": beside ? "end" : "start" }
      : { x: right, "text-anchor": "end" };
    marks.append(svg("text", { ...look, y }, text));
  });
}
