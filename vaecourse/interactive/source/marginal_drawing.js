// The drawings of the figure on the marginal.

import { css, svg } from "./core.js";
import { canvasPen, frame, paint, path } from "./chart.js";

/** Draw the density over the plane, the curve, a circle for each component, and the cut. */
export function drawMap(
  map,
  side,
  { values, points, centers, weights, scale, cut, extent, colors },
) {
  const pen = canvasPen(map, side, side);
  const grid = Math.sqrt(values.length);
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  const shade = colors.dark ? colors.accent : [0, 66, 74];
  paint(
    pen,
    values.map((v) => v / largest),
    grid,
    grid,
    [0, 0, side, side],
    colors.paper,
    shade,
  );
  const X = (v) => ((v + extent) / (2 * extent)) * side;
  const Y = (v) => side - X(v);
  pen.strokeStyle = css(colors.muted, 0.55);
  pen.lineWidth = 1;
  pen.beginPath();
  points.forEach(([a, b], i) => pen[i ? "lineTo" : "moveTo"](X(a), Y(b)));
  pen.stroke();
  if (centers.length < 60) {
    pen.strokeStyle = css(colors.coral, 0.8);
    for (let k = 0; k < centers.length; k++) {
      if (weights[k] < 0.002) continue;
      pen.beginPath();
      pen.arc(X(centers[k][0]), Y(centers[k][1]), (scale / (2 * extent)) * side, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
  pen.strokeStyle = css(colors.ink, 0.9);
  pen.setLineDash([5, 4]);
  pen.beginPath();
  pen.moveTo(0, Y(cut));
  pen.lineTo(side, Y(cut));
  pen.stroke();
  pen.setLineDash([]);
}

/** Draw the density along the cut above the components' shares. */
export function drawCut(chart, width, height, { x, parts, sum, extent }) {
  const top = Math.max(...sum, 1e-9);
  const { X, Y, marks } = frame(chart, {
    width,
    height: Math.min(height, 330),
    margin: [10, 6, 40, 6],
    x: { domain: [-extent, extent], label: "x₁" },
    y: { domain: [0, 1.08 * top] },
  });
  const near = parts.filter((part) => Math.max(...part) > top / 200);
  for (const part of near) {
    const look = {
      fill: "none",
      stroke: "var(--coral)",
      "stroke-opacity": near.length > 60 ? 0.35 : 0.75,
    };
    marks.append(svg("path", { d: path(x, part, X, Y), ...look }));
  }
  marks.append(
    svg("path", {
      d: path(x, sum, X, Y),
      fill: "none",
      stroke: "var(--accent)",
      "stroke-width": 2.5,
    }),
  );
}
