// What a reader touches: sliders, buttons, and areas that are dragged or moved with the arrow keys.

import { html } from "./core.js";

/** Make a labeled range control for the store's value `key`; `scale` maps position to value. */
export function slider(
  store,
  { key, label, positions, show, value = (p) => p, position = (v) => v },
) {
  const [min, max, step] = positions;
  const output = html("output", {});
  const input = html("input", { type: "range", min, max, step, name: key });
  const update = () => {
    const text = show(store.values[key]);
    input.value = position(store.values[key]);
    input.setAttribute("aria-valuetext", text);
    output.textContent = text;
  };
  input.addEventListener("input", () => store.set({ [key]: value(Number(input.value)) }));
  store.listen(update);
  update();
  return html("label", { class: "slider" }, html("span", {}, label), output, input);
}

/** Make a slider whose values are spaced evenly in their logarithm. */
export function logSlider(store, { range: [low, high], steps = 200, round = (v) => v, ...rest }) {
  const span = Math.log(high / low);
  return slider(store, {
    positions: [0, steps, 1],
    value: (p) => round(low * Math.exp((span * p) / steps)),
    position: (v) => (steps * Math.log(v / low)) / span,
    ...rest,
  });
}

/** Make a button. */
export function button(label, press, attributes = {}) {
  return html("button", { type: "button", onclick: press, ...attributes }, label);
}

/** Make a labeled checkbox for the store's value `key`. */
export function checkbox(store, { key, label }) {
  const input = html("input", { type: "checkbox", name: key });
  input.addEventListener("change", () => store.set({ [key]: input.checked }));
  const update = () => (input.checked = store.values[key]);
  store.listen(update);
  update();
  return html("label", { class: "check" }, input, label);
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Call `move(dx, dy, event)` for each arrow key: one step, or five with the shift key. */
export function onArrows(element, move) {
  element.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.shiftKey ? 5 : 1;
    move(size * step[0], size * step[1], event);
  });
}

/** Call `drag(x, y, phase)` in pixels of the element while a mouse, pen or finger is down on it. */
export function onDrag(element, drag) {
  let down = null;
  const report = (event, phase) => {
    const box = element.getBoundingClientRect();
    drag(event.clientX - box.left, event.clientY - box.top, phase);
  };
  element.style.touchAction = "none";
  element.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    down = event.pointerId;
    if (event.isTrusted) element.setPointerCapture(down);
    element.focus?.({ preventScroll: true });
    event.preventDefault();
    report(event, "down");
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId === down) report(event, "move");
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, (event) => {
      if (event.pointerId !== down) return;
      down = null;
      report(event, "up");
    });
  }
}

/** Make a line that a screen reader reads out some time after it has stopped changing. */
export function announcer() {
  const line = html("p", { class: "announce", role: "status" });
  let timer = null;
  return {
    line,
    say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => (line.textContent = text), 700);
    },
  };
}

/** Write a number with a true minus sign. */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return /[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", "");
}

/** Fill the body of a table with names and texts. */
export function fillFacts(body, entries) {
  const row = ([name, text]) =>
    html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, text));
  body.replaceChildren(...entries.map(row));
}
