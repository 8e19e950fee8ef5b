// A slider over models that differ in one number: their pictures, and where they lie on charts.

import { html, svg } from "./core.js";
import { announcer, fillFacts, slider } from "./controls.js";
import { frame, path, surface, tickText, ticks } from "./chart.js";
import { drawStrip } from "./plane.js";

/** Return the pictures of one model, `count` of 28 by 28 pixels from 0 to 1, from bytes. */
export function pictures(buffer, index, count) {
  const bytes = new Uint8Array(buffer, index * count * 784, count * 784);
  return Float32Array.from(bytes, (value) => value / 255);
}

/** Return the range of some values with a margin on both sides. */
export function range(values, margin = 0.08) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = margin * (high - low || 1);
  return [low - room, high + room];
}

/** Build a figure of a sweep; `options` hold rows of pictures, charts and facts for each model. */
export function sweep({ main, options, store, blob }) {
  const { symbol, values, rows, charts, facts, count } = options;
  const strips = rows.map((row) => ({ ...row, data: blob(row.key), canvas: strip(row.title) }));
  const drawings = charts.map((chart) => ({ ...chart, surface: surface(chart.label) }));
  const body = html("tbody");
  const status = announcer();
  const control = slider(store, {
    key: "index",
    label: symbol,
    positions: [0, values.length - 1, 1],
    show: (index) => values[index],
  });
  const titled = ({ title, canvas }) =>
    html("div", {}, html("p", { class: "head" }, title), canvas);
  main.append(
    control,
    ...strips.map(titled),
    html("div", { class: "row" }, ...drawings.map((chart) => chart.surface)),
    html("table", { class: "facts" }, body),
    status.line,
  );
  return (width, colors) => {
    const { index } = store.values;
    for (const { canvas, data, fixed } of strips) {
      drawStrip(canvas, width, pictures(data, fixed ? 0 : index, count), count, colors);
    }
    const share = width < 620 ? width : (width - 24 * (drawings.length - 1)) / drawings.length;
    drawings.forEach((chart) => drawChart(chart, Math.min(share, 560), index, values));
    fillFacts(body, facts[index]);
    status.say(
      `${symbol} ${values[index]}: ${facts[index].map((pair) => pair.join(" ")).join("; ")}`,
    );
  };
}

function strip(title) {
  return html("canvas", { role: "img", "aria-label": title });
}

function drawChart({ surface: chart, x, xText, xLabel, yLabel, lines }, width, index, values) {
  const all = lines.flatMap((line) => line.y);
  const named = xText ? { ticks: x, text: (value) => xText[x.indexOf(value)] } : {};
  const yRange = range(all);
  const { X, Y, marks } = frame(chart, {
    width,
    height: 230,
    margin: [12 + 15 * lines.length, 14, 42, 44],
    x: { domain: range(x), label: xLabel, ...named },
    y: { domain: yRange, label: yLabel, ticks: ticks(...yRange, 4), text: tickText },
  });
  lines.forEach(({ name, color, y }, i) => {
    marks.append(
      svg("path", {
        d: path(x, y, X, Y),
        fill: "none",
        stroke: `var(--${color})`,
        "stroke-width": 2,
      }),
    );
    y.forEach((value, k) => {
      const look = k === index ? { r: 7, stroke: "var(--paper)", "stroke-width": 2 } : { r: 3 };
      marks.append(svg("circle", { cx: X(x[k]), cy: Y(value), fill: `var(--${color})`, ...look }));
    });
    if (!xText)
      marks.append(svg("text", { x: X(x[index]) + 10, y: Y(y[index]) - 9 }, values[index]));
    if (name) {
      const place = { x: width - 14, y: 10 + 15 * i, "text-anchor": "end" };
      marks.append(svg("text", { ...place, style: `fill: var(--${color})` }, name));
    }
  });
}
