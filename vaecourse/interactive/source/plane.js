// The plane of codes: encoded test images by class, and what lies on it; decoded pictures.

import { css, html } from "./core.js";
import { onArrows, onDrag } from "./controls.js";
import { canvasPen, dots, paint, scale } from "./chart.js";

/** Make a plane whose code the reader moves; `move` gets the new code, inside the edges. */
export function planeControl(label, edges, current, move) {
  const canvas = html("canvas", {
    class: "plane",
    tabindex: "0",
    role: "application",
    "aria-label": `${label}: drag, or move the code with the arrow keys`,
  });
  const inside = (code) => code.map((v, i) => Math.min(edges[i][1], Math.max(edges[i][0], v)));
  const step = (edges[0][1] - edges[0][0]) / 80;
  let side = 240;
  onDrag(canvas, (x, y, phase) => {
    const unit = (80 * step) / side;
    if (phase !== "up") move(inside([edges[0][0] + x * unit, edges[1][1] - y * unit]));
  });
  onArrows(canvas, (dx, dy) => {
    const [a, b] = current();
    move(inside([a + dx * step, b + dy * step]));
  });
  return { canvas, resize: (width) => (side = width) };
}

/** Draw the encoded images and return the pen and the scales for what lies on top. */
export function drawPlane(canvas, side, { points, labels, edges }, colors) {
  const pen = canvasPen(canvas, side, side);
  const X = scale(edges[0], [0, side]);
  const Y = scale(edges[1], [side, 0]);
  pen.strokeStyle = css(colors.rule); // the axes, where they cross the picture
  pen.lineWidth = 1;
  pen.strokeRect(X(0), -1, 0, side + 2);
  pen.strokeRect(-1, Y(0), side + 2, 0);
  colors.digits.forEach((color, digit) => {
    pen.fillStyle = color;
    pen.globalAlpha = 0.75;
    points.forEach(
      ([a, b], i) => labels[i] === digit && pen.fillRect(X(a) - 1.5, Y(b) - 1.5, 3, 3),
    );
  });
  pen.globalAlpha = 1;
  return { pen, X, Y };
}

/** Draw a ring around a code. */
export function ring({ pen, X, Y }, [a, b], colors) {
  for (const [width, color] of [
    [6, colors.paper],
    [2.5, colors.ink],
  ]) {
    pen.strokeStyle = css(color);
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(X(a), Y(b), 8, 0, 2 * Math.PI);
    pen.stroke();
  }
  dots(pen, [X(a)], [Y(b)], 2.5, colors.ink);
}

/** Show 28 by 28 pixels as ink on paper. */
export function drawDigit(canvas, side, pixels, colors) {
  const pen = canvasPen(canvas, side, side);
  paint(pen, pixels, 28, 28, [0, 0, side, side], colors.paper, colors.ink);
}

/** Make the canvas of one picture. */
export function picture(label) {
  return html("canvas", {
    class: "plane",
    role: "img",
    "aria-label": label,
    style: "cursor: auto",
  });
}

/** Name the ten classes by their colors. */
export function legend() {
  const line = html("p", { class: "note legend", "aria-hidden": "true" }, "Images by class: ");
  return {
    line,
    recolor(colors) {
      const names = colors.digits.map((color, digit) =>
        html("span", {}, html("span", { class: "key", style: `background: ${color}` }), `${digit}`),
      );
      line.replaceChildren("Images by class: ", ...names);
    },
  };
}

/** Show several pictures side by side, in two rows where there is little room. */
export function drawStrip(canvas, width, pixels, count, colors) {
  const columns = width < 480 ? Math.ceil(count / 2) : count;
  const side = Math.min(76, (width - 4 * (columns - 1)) / columns);
  const rows = Math.ceil(count / columns);
  const pen = canvasPen(canvas, columns * (side + 4) - 4, rows * (side + 4) - 4);
  for (let i = 0; i < count; i++) {
    const [x, y] = [(i % columns) * (side + 4), Math.floor(i / columns) * (side + 4)];
    const picture = pixels.subarray(784 * i, 784 * (i + 1));
    paint(pen, picture, 28, 28, [x, y, side, side], colors.paper, colors.ink);
    pen.strokeStyle = css(colors.rule);
    pen.lineWidth = 1;
    pen.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
  }
}
