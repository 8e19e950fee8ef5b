// A square to draw on, with a mouse, a finger, a pen or the keyboard. Strokes are lists of points.

import { css, html } from "./core.js";
import { onArrows, onDrag } from "./controls.js";
import { canvasPen } from "./chart.js";

const SIDE = 140; // of the picture that ink is measured on
const BREADTH = 0.085; // of the pen, where the square's side is 1
const STEP = 0.03;

function trace(pen, strokes, side) {
  pen.lineWidth = BREADTH * side;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * side, y * side));
    if (stroke.length === 1) pen.lineTo(stroke[0][0] * side + 0.01, stroke[0][1] * side);
    pen.stroke();
  }
}

const scratch = document.createElement("canvas");
scratch.width = scratch.height = SIDE;
const scratchPen = scratch.getContext("2d", { willReadFrequently: true });

/** Return the ink of some strokes, row by row, from 0 to 1. */
export function inkOf(strokes) {
  scratchPen.clearRect(0, 0, SIDE, SIDE);
  scratchPen.strokeStyle = "#000";
  trace(scratchPen, strokes, SIDE);
  const { data } = scratchPen.getImageData(0, 0, SIDE, SIDE);
  return {
    side: SIDE,
    ink: Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3] / 255),
  };
}

/** Make a pad that keeps its strokes in the store. */
export function drawingPad(store) {
  const canvas = html("canvas", {
    class: "plane",
    tabindex: "0",
    role: "application",
    "aria-label": "Drawing pad: arrow keys move the pen, the space bar puts it down and lifts it",
  });
  let side = 250;
  let at = [0.5, 0.3];
  let [isDown, byKeys] = [false, false];
  const limit = (v) => Math.round(1000 * Math.min(0.98, Math.max(0.02, v))) / 1000;
  const begin = () => store.set({ strokes: [...store.values.strokes, [at]] });
  const extend = () => {
    const strokes = store.values.strokes.slice();
    strokes.push([...(strokes.pop() ?? []), at]);
    store.set({ strokes });
  };
  onDrag(canvas, (x, y, phase) => {
    if (phase === "up") return;
    [at, isDown, byKeys] = [[limit(x / side), limit(y / side)], false, false];
    if (phase === "down") begin();
    else extend();
  });
  onArrows(canvas, (dx, dy) => {
    [at, byKeys] = [[limit(at[0] + STEP * dx), limit(at[1] - STEP * dy)], true];
    if (isDown) extend();
    else store.set({});
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    [isDown, byKeys] = [!isDown, true];
    if (isDown) begin();
    else store.set({});
  });
  const draw = (size, colors) => {
    side = size;
    const pen = canvasPen(canvas, side, side);
    pen.strokeStyle = css(colors.ink);
    trace(pen, store.values.strokes, side);
    if (!byKeys) return;
    pen.lineWidth = 2;
    pen.strokeStyle = css(isDown ? colors.coral : colors.muted);
    pen.beginPath();
    pen.arc(at[0] * side, at[1] * side, 9, 0, 2 * Math.PI);
    pen.stroke();
  };
  return { canvas, draw };
}
