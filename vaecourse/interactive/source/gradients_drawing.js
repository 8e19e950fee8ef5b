// The drawings of the figure on two gradient estimators.

import { svg } from "./core.js";
import { frame, ticks } from "./chart.js";

/** Draw the bound's contours: at each height, the mean solves a quadratic equation. */
export function drawPlane(chart, width, { problem, view, grip, mean, logVariance }) {
  const { X, Y, marks } = frame(chart, {
    width,
    height: 300,
    margin: [24, 8, 42, 34],
    x: { domain: view.means, label: "μ", ticks: ticks(...view.means, 4) },
    y: { domain: view.logVariances, label: "ℓ = log σ²", ticks: ticks(...view.logVariances, 5) },
    clip: "plane",
  });
  const { center, precision } = problem;
  for (const gap of [0.1, 0.5, 1.5, 4, 9, 18]) {
    const [left, right] = [[], []];
    for (let i = 0; i <= 200; i++) {
      const level =
        view.logVariances[0] + (i / 200) * (view.logVariances[1] - view.logVariances[0]);
      const square = 2 * gap + 1 + level + Math.log(precision) - precision * Math.exp(level);
      if (square < 0) continue;
      const reach = Math.sqrt(square / precision);
      left.push(`${X(center - reach).toFixed(1)} ${Y(level).toFixed(1)}`);
      right.unshift(`${X(center + reach).toFixed(1)} ${Y(level).toFixed(1)}`);
    }
    const d = `M${[...left, ...right].join("L")}Z`;
    marks.append(svg("path", { d, fill: "none", stroke: "var(--muted)", "stroke-opacity": 0.6 }));
  }
  const best = { cx: X(center), cy: Y(-Math.log(precision)), r: 3, fill: "var(--muted)" };
  marks.append(svg("circle", best), grip);
  grip.setAttribute("transform", `translate(${X(mean).toFixed(1)} ${Y(logVariance).toFixed(1)})`);
  return { X, Y };
}

/** Return the range that holds nearly all values, with a margin; heavy tails may leave the plot. */
function middle(values) {
  const sorted = values.sort((a, b) => a - b);
  const cut = Math.floor(0.04 * sorted.length);
  const [low, high] = [sorted[cut], sorted[sorted.length - 1 - cut]];
  return [low - 0.15 * (high - low), high + 0.15 * (high - low)];
}

/** Draw the newest estimates as arrows, the others as their tips, and the exact gradient. */
export function drawArrows(chart, width, { kinds, truth, spread }) {
  const domain = (i) => middle(spread.map((pair) => pair[i]).concat(0, truth[i], 2 * truth[i]));
  const { X, Y, marks } = frame(chart, {
    width,
    height: 300,
    margin: [24, 8, 42, 44],
    x: { domain: domain(0), label: "∂/∂μ (nats)", ticks: ticks(...domain(0), width / 70) },
    y: { domain: domain(1), label: "∂/∂ℓ (nats)", ticks: ticks(...domain(1), 5) },
    clip: "arrows",
  });
  for (const [name, color] of [
    ["score", "coral"],
    ["path", "accent"],
  ]) {
    const pairs = kinds[name];
    const tips = pairs.map(([a, b]) => `M${X(a).toFixed(1)} ${Y(b).toFixed(1)}h0`).join("");
    const look = { stroke: `var(--${color})`, fill: "none", "stroke-linecap": "round" };
    marks.append(
      svg("path", {
        d: tips,
        ...look,
        "stroke-width": 4,
        "stroke-opacity": pairs.length > 150 ? 0.35 : 0.7,
      }),
    );
    const recent = pairs
      .slice(-12)
      .map(([a, b]) => `M${X(0)} ${Y(0)}L${X(a).toFixed(1)} ${Y(b).toFixed(1)}`);
    marks.append(
      svg("path", { d: recent.join(""), ...look, "stroke-width": 1.2, "stroke-opacity": 0.8 }),
    );
  }
  const whole = { x1: X(0), y1: Y(0), x2: X(truth[0]), y2: Y(truth[1]) };
  marks.append(svg("line", { ...whole, stroke: "var(--ink)", "stroke-width": 2.5 }));
  marks.append(
    svg("circle", {
      cx: whole.x2,
      cy: whole.y2,
      r: 5,
      fill: "none",
      stroke: "var(--ink)",
      "stroke-width": 2,
    }),
  );
}
