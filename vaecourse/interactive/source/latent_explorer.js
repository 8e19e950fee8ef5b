// Chapter 7: the latent planes of an autoencoder and of a VAE, side by side, with what they decode.

import { animate, css, html, wantsStillness } from "./core.js";
import { announcer, button, number, slider } from "./controls.js";
import { dots } from "./chart.js";
import { decode, encode, forward, fromHalf, logLikelihood, rate, unpack } from "./network.js";
import { drawDigit, drawPlane, legend, picture, planeControl, ring } from "./plane.js";

/** Return the code at a share of the way from the first end to the second. */
function between([start, end], share) {
  return start.map((v, i) => v + share * (end[i] - v));
}

export const mathematics = {
  between,
  decode,
  encode,
  forward,
  fromHalf,
  logLikelihood,
  rate,
  unpack,
};

const SECONDS = 5; // of a walk

export function build({ main, options, store, blob }) {
  const panels = options.models.map((model) => panel(model, store, blob));
  const setAlong = (along) => {
    const codes = options.models.map((model) => [model.name, between(model.ends, along)]);
    store.set({ ...Object.fromEntries(codes), along });
  };
  const scrub = slider(
    {
      ...store,
      get values() {
        return store.values;
      },
      set: ({ along }) => setAlong(along),
    },
    {
      key: "along",
      label: options.walk,
      positions: [0, 1, 0.01],
      show: (v) => `${number(100 * v, 0)} %`,
    },
  );
  let stop = null;
  const halt = () => {
    stop?.();
    stop = null;
    play.textContent = "Play the walk";
  };
  const play = button("Play the walk", () => {
    if (stop) return halt();
    const from = store.values.along > 0.995 ? 0 : store.values.along;
    if (wantsStillness()) return setAlong(Math.min(1, from + 0.1));
    play.textContent = "Stop";
    stop = animate((seconds) => {
      setAlong(Math.min(1, from + seconds / SECONDS));
      if (store.values.along < 1) return true;
      halt();
      return false;
    });
    return undefined;
  });
  main.addEventListener("pointerdown", (event) => event.target !== play && stop && halt());
  const names = legend();
  const status = announcer();
  const controls = html("div", { class: "controls" }, scrub, play);
  main.append(
    html("div", { class: "row" }, ...panels.map(({ box }) => box)),
    names.line,
    controls,
    status.line,
  );
  return (width, colors) => {
    const side = Math.min(250, Math.round((width < 620 ? width : width / 2) - 146));
    panels.forEach(({ draw }) => draw(side, colors));
    names.recolor(colors);
    status.say(
      options.models
        .map(
          ({ name }) => `${name}: z is ${store.values[name].map((v) => number(v, 1)).join(", ")}`,
        )
        .join("; "),
    );
  };
}

function panel(model, store, blob) {
  const { name, edges, ends, decoder } = model;
  const layers = unpack(blob(decoder.key), decoder.sizes);
  const move = (code) => store.set({ [name]: code });
  const control = planeControl(
    `Latent plane of the ${name}`,
    edges,
    () => store.values[name],
    move,
  );
  const digit = picture(`What the ${name} decodes there`);
  const place = html("p", { class: "note" });
  const beside = html("div", {}, digit, place);
  const box = html(
    "div",
    {},
    html("p", { class: "head" }, name),
    html("div", { class: "pair" }, control.canvas, beside),
  );
  const draw = (side, colors) => {
    const code = store.values[name];
    control.resize(side);
    const on = drawPlane(control.canvas, side, model, colors);
    drawWalk(on, ends, colors);
    ring(on, code, colors);
    drawDigit(digit, 112, decode(layers, code, decoder.head), colors);
    place.textContent = `z = (${number(code[0], 1)}, ${number(code[1], 1)})`;
  };
  return { box, draw };
}

function drawWalk({ pen, X, Y }, [start, end], colors) {
  pen.lineCap = "round";
  for (const [width, color] of [
    [6, colors.paper],
    [2.2, colors.ink],
  ]) {
    pen.strokeStyle = css(color);
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(X(start[0]), Y(start[1]));
    pen.lineTo(X(end[0]), Y(end[1]));
    pen.stroke();
  }
  dots(pen, [X(start[0]), X(end[0])], [Y(start[1]), Y(end[1])], 4, colors.ink);
}
