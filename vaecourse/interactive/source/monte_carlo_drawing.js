// The drawing of the figure on direct Monte Carlo.

import { svg } from "./core.js";
import { number } from "./controls.js";
import { frame, path } from "./chart.js";

/** Draw the runs over the number of samples, in nats from the truth. */
export function drawRuns(chart, width, lines, power, first, truth) {
  const counts = lines[0].map((_, p) => 2 ** p);
  const most = counts.at(-1);
  const lowest = Math.min(-3, ...lines.map((curve) => curve[Math.min(2, power)]));
  const { X, Y, marks } = frame(chart, {
    width,
    height: Math.min(340, 0.75 * width),
    margin: [26, 14, 42, 46],
    x: {
      domain: [1, most],
      log: true,
      ticks: [1, 10, 100, 1000, 10000],
      text: (v) => number(v, 0),
      label: "samples K",
    },
    y: {
      domain: [1.08 * lowest, -0.16 * lowest],
      ticks: yTicks(lowest),
      text: (v) => number(v, 0),
      label: "nats above or below the exact log p(x)",
    },
    clip: "runs",
  });
  const line = (x1, y1, x2, y2, look) => svg("line", { x1, y1, x2, y2, ...look });
  marks.append(line(X(1), Y(0), X(most), Y(0), { stroke: "var(--ink)", "stroke-width": 1.5 }));
  for (const [i, curve] of lines.entries()) {
    const look = i ? { "stroke-opacity": 0.5, "stroke-width": 1.2 } : { "stroke-width": 2.6 };
    marks.append(
      svg("path", { d: path(counts, curve, X, Y), fill: "none", stroke: "var(--accent)", ...look }),
    );
  }
  const at = X(2 ** power);
  marks.append(line(at, 0, at, 400, { stroke: "var(--muted)", "stroke-dasharray": "4 4" }));
  for (const curve of lines) {
    marks.append(svg("circle", { cx: at, cy: Y(curve[power]), r: 3, fill: "var(--accent)" }));
  }
  const bar = { stroke: "var(--coral)", "stroke-width": 3 };
  if (!Number.isNaN(first.error)) {
    marks.append(
      line(at, Y(first.value - 2 * first.error), at, Y(first.value + 2 * first.error), bar),
    );
  }
  marks.append(svg("circle", { cx: at, cy: Y(first.value), r: 5, fill: "var(--coral)" }));
  marks.append(svg("text", { x: X(1) + 6, y: Y(0) - 7 }, `exact: ${number(truth)}`));
}

function yTicks(lowest) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200].find((size) => -lowest / size <= 6) ?? 500;
  return Array.from({ length: Math.floor(-lowest / step) + 1 }, (_, i) => -i * step);
}
