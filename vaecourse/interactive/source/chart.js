// Axes, curves and pictures.

import { svg, css } from "./core.js";

/** Map `domain` to `range`, evenly or in the logarithm. */
export function scale([low, high], [start, end], log = false) {
  const bend = log ? Math.log : (v) => v;
  const unbend = log ? Math.exp : (v) => v;
  const slope = (end - start) / (bend(high) - bend(low));
  const map = (value) => start + slope * (bend(value) - bend(low));
  map.inverse = (pixel) => unbend(bend(low) + (pixel - start) / slope);
  return map;
}

/** Choose about `count` round values between `low` and `high`. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** Write a tick's value without needless digits. */
export function tickText(value) {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

/** Make an SVG element that `frame` fills anew; one that holds handles is a "group". */
export function surface(label, role = "img") {
  return svg("svg", { role, "aria-label": label, class: "chart" });
}

/** Clear a chart, draw its axes, and return its scales and the layer for its marks. */
export function frame(chart, { width, height, margin, x, y, clip }) {
  const [top, right, bottom, left] = margin;
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.setAttribute("width", width);
  chart.setAttribute("height", height);
  const X = scale(x.domain, [left, width - right], x.log);
  const Y = scale(y.domain, [height - bottom, top], y.log);
  const axes = svg("g", { class: "axes" });
  const base = height - bottom;
  axes.append(svg("line", { x1: left, x2: width - right, y1: base, y2: base }));
  for (const value of x.ticks ?? ticks(...x.domain, Math.max(3, Math.floor((width - left) / 80)))) {
    const at = X(value);
    axes.append(svg("line", { x1: at, x2: at, y1: base, y2: base + 4 }));
    axes.append(
      svg("text", { x: at, y: base + 17, "text-anchor": "middle" }, (x.text ?? tickText)(value)),
    );
  }
  for (const value of y.ticks ?? []) {
    const at = Y(value);
    axes.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: at, y2: at }));
    axes.append(
      svg("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, (y.text ?? tickText)(value)),
    );
  }
  if (x.label) {
    const place = { x: width - right, y: base + 34, "text-anchor": "end", class: "title" };
    axes.append(svg("text", place, x.label));
  }
  if (y.label) axes.append(svg("text", { x: 2, y: top - 10, class: "title" }, y.label));
  const marks = svg("g", {});
  if (clip) {
    const inner = { x: left, y: top, width: width - left - right, height: base - top };
    axes.append(svg("clipPath", { id: clip }, svg("rect", inner)));
    marks.setAttribute("clip-path", `url(#${clip})`);
  }
  chart.replaceChildren(axes, marks);
  return { X, Y, marks, base };
}

/** Join points to an SVG path. */
export function path(xs, ys, X, Y) {
  let text = "";
  for (let i = 0; i < xs.length; i++) {
    text += `${i ? "L" : "M"}${X(xs[i]).toFixed(1)} ${Y(ys[i]).toFixed(1)}`;
  }
  return text;
}

/** Size a canvas in CSS pixels and return its pen, scaled for the screen. */
export function canvasPen(canvas, width, height) {
  const ratio = Math.min(devicePixelRatio || 1, 3);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Paint values from 0 to 1, row by row, as shades from paper to `color`, over the pen's area. */
export function paint(pen, values, columns, rows, [x, y, width, height], paper, color) {
  const image = new ImageData(columns, rows);
  for (let i = 0; i < columns * rows; i++) {
    const share = Math.min(1, Math.max(0, values[i]));
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + share * (color[c] - paper[c]);
    image.data[4 * i + 3] = 255;
  }
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, x, y, width, height);
}

/** Draw dots of one color. */
export function dots(pen, xs, ys, radius, color, alpha = 1) {
  pen.fillStyle = css(color, alpha);
  for (let i = 0; i < xs.length; i++) {
    pen.beginPath();
    pen.arc(xs[i], ys[i], radius, 0, 2 * Math.PI);
    pen.fill();
  }
}
