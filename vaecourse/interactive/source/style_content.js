// Chapter 9: a class and a style, decoded by a model that was told them apart by a few labels.

import { html } from "./core.js";
import { announcer, button, number } from "./controls.js";
import { forward, sigmoid, unpack } from "./network.js";
import { drawDigit, drawPlane, legend, picture, planeControl, ring } from "./plane.js";

/** Return the code at a place of the plane: what the plane leaves out comes from the example. */
function codeAt({ directions }, rest, [a, b]) {
  return rest.map((v, i) => v + a * directions[0][i] + b * directions[1][i]);
}

/** Decode a code as one of the classes, through one network after the other. */
function decodeAs(networks, code, label, classes) {
  const input = [...code, ...Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0))];
  return sigmoid(networks.reduce((values, layers) => forward(layers, values), input));
}

export const mathematics = { codeAt, decodeAs, unpack };

const CLASSES = 10;

export function build({ main, options, store, blob }) {
  const networks = options.networks.map(({ key, sizes }) => unpack(blob(key), sizes));
  const move = (style) => store.set({ style });
  const plane = planeControl("Plane of styles", options.edges, () => store.values.style, move);
  const large = picture("The chosen class in the chosen style");
  const place = html("p", { class: "note" });
  const choices = Array.from({ length: CLASSES }, (_, label) => {
    const canvas = html("canvas", { "aria-hidden": "true" });
    const choose = () => store.set({ label });
    const words = { class: "choice", role: "radio", "aria-label": `class ${label}` };
    return {
      canvas,
      control: html("button", { type: "button", onclick: choose, ...words }, canvas),
    };
  });
  const examples = options.examples.map(({ name, style }, from) =>
    button(name, () => store.set({ from, style })),
  );
  const names = legend();
  const status = announcer();
  const head = (text) => html("p", { class: "head" }, text);
  const group = { class: "choices", role: "radiogroup", "aria-label": "class" };
  const right = html(
    "div",
    { class: "grow" },
    head("all classes in this style: choose one"),
    html("div", group, ...choices.map(({ control }) => control)),
    html("p", { class: "head next" }, "take the style from"),
    html("div", { class: "buttons", role: "group", "aria-label": "style" }, ...examples),
  );
  const left = html("div", {}, head("style z: drag it"), plane.canvas);
  const middle = html("div", {}, head("this class, this style"), large, place);
  main.append(html("div", { class: "row" }, left, middle), right, names.line, status.line);

  return (width, colors) => {
    const { style, label, from } = store.values;
    const code = codeAt(options, options.examples[from].rest, style);
    const side = width < 620 ? Math.min(280, width - 2) : 280;
    plane.resize(side);
    ring(drawPlane(plane.canvas, side, options, colors), style, colors);
    drawDigit(large, 168, decodeAs(networks, code, label, CLASSES), colors);
    const small = Math.min(62, Math.floor((width - 4 * 6) / 5) - 7);
    choices.forEach(({ canvas, control }, each) => {
      drawDigit(canvas, small, decodeAs(networks, code, each, CLASSES), colors);
      control.setAttribute("aria-checked", String(each === label));
    });
    examples.forEach((control, each) =>
      control.setAttribute("aria-pressed", String(each === from)),
    );
    names.recolor(colors);
    place.textContent = `y = ${label}, style (${style.map((v) => number(v, 1)).join(", ")})`;
    status.say(`Class ${label}, style ${style.map((v) => number(v, 1)).join(", ")}`);
  };
}
