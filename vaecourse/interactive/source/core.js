// What every figure stands on: its elements, its store of values, its colors, and its two hosts.

const NAMESPACE = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Make an HTML element; attributes that begin with "on" are listeners. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NAMESPACE, tag), attributes, children);
}

/** Hold a figure's values; whoever sets one tells all that listen. */
export function createStore(values) {
  const listeners = [];
  const store = {
    values: { ...values },
    listen: (listener) => listeners.push(listener),
    set(patch, from = null) {
      Object.assign(store.values, patch);
      listeners.forEach((listener) => listener(store.values, from));
    },
  };
  return store;
}

/** Run a function once per frame, however often it is asked for. */
export function oncePerFrame(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}

/** Tell whether the reader wants things to stay still. */
export function wantsStillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Play frames of `advance(seconds since the start)` until it returns false; return a stop. */
export function animate(advance) {
  let begin = null;
  let handle = requestAnimationFrame(function step(now) {
    begin = begin ?? now;
    if (advance((now - begin) / 1000) !== false) handle = requestAnimationFrame(step);
  });
  return () => cancelAnimationFrame(handle);
}

// The ten classes, as in vaecourse/plots/palette.py, and what a dark page's filter makes of them.
const LIGHT_DIGITS = ["#885bfe", "#ae5e06", "#0f4247", "#676358", "#9d7996"].concat([
  "#1c13cb",
  "#46ac7f",
  "#b5b22f",
  "#a0a9ec",
  "#771603",
]);
const DARK_DIGITS = ["#a07aff", "#cd8a40", "#9ac5c9", "#9b978e", "#93758d"].concat([
  "#c9c1ff",
  "#2e845e",
  "#666400",
  "#505890",
  "#ffb8a8",
]);

/** Read the figure's colors as they stand now, as [red, green, blue] where a canvas needs them. */
export function palette(host) {
  const style = getComputedStyle(host);
  const dark = host.hasAttribute("data-dark");
  const read = (name) => rgb(style.getPropertyValue(name).trim());
  const names = ["paper", "ink", "muted", "rule", "accent", "coral", "violet"];
  const colors = Object.fromEntries(names.map((name) => [name, read(`--${name}`)]));
  return { ...colors, dark, digits: dark ? DARK_DIGITS : LIGHT_DIGITS };
}

const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Turn any CSS color into [red, green, blue], 0 to 255. */
export function rgb(color) {
  pen.canvas.width = pen.canvas.height = 1;
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Write a color for CSS. */
export function css([red, green, blue], alpha = 1) {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** Mark the host as dark where its paper is; a figure's own colors follow. */
function matchPage(host) {
  const [red, green, blue] = rgb(getComputedStyle(host).getPropertyValue("--paper").trim());
  host.toggleAttribute("data-dark", 0.299 * red + 0.587 * green + 0.114 * blue < 128);
}

/** Call `redraw` when the page changes between light and dark, or the host its width. */
function watchPage(host, redraw) {
  const restyle = () => {
    matchPage(host);
    redraw();
  };
  const themes = new MutationObserver(restyle);
  const options = { attributes: true, attributeFilter: ["class", "data-theme", "style"] };
  themes.observe(document.documentElement, options);
  options.attributeFilter.push("data-jp-theme-light");
  themes.observe(document.body, options);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", restyle);
  const size = new ResizeObserver(redraw);
  size.observe(host);
  return () => {
    themes.disconnect();
    size.disconnect();
    scheme.removeEventListener("change", restyle);
  };
}

/** Build one figure inside `host` and keep it drawn; return what takes it down. */
function mount(host, build, sheet, options, store, blob) {
  const root = host.attachShadow({ mode: "open" });
  const main = html("div", { class: "figure", "data-lm-suppress-shortcuts": "true" });
  root.append(html("style"), main);
  root.firstChild.textContent = sheet;
  matchPage(host);
  let draw = () => {};
  const redraw = oncePerFrame(() => {
    if (host.clientWidth > 0) draw(Math.min(host.clientWidth, 760), palette(host));
  });
  draw = build({ main, host, options, store, blob, redraw });
  store.listen(redraw);
  redraw();
  return watchPage(host, redraw);
}

/** Find a blob of base64 by its key, anywhere in the page: figures may share one. */
function blobInPage(key) {
  const text = document.querySelector(`script[data-blob="${key}"]`).textContent;
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

/** Bring every figure of one name to life that the page holds and that is not alive yet. */
export function mountPage(name, build, sheet) {
  for (const root of document.querySelectorAll(`[data-figure="${name}"]:not([data-live])`)) {
    const { options, state } = JSON.parse(root.querySelector("script[data-values]").textContent);
    const host = html("div", { class: "vae-live" });
    root.append(host);
    root.setAttribute("data-live", "");
    mount(host, build, sheet, options, createStore(state), blobInPage);
  }
}

/** Bring one figure to life in a notebook; its state goes to and comes from Python. */
export function mountWidget(name, build, sheet, { model, el }) {
  const host = html("div", { class: "vae-live" });
  const root = html("div", { class: "vae-explorer", "data-figure": name, "data-live": "" }, host);
  el.append(root);
  const store = createStore(model.get("state"));
  store.listen((values, from) => {
    if (from === model) return;
    model.set("state", { ...values });
    model.save_changes();
  });
  const pull = () => store.set(model.get("state"), model);
  model.on("change:state", pull);
  const blob = (key) => {
    const view = model.get("blobs")[key];
    return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  };
  const takeDown = mount(host, build, sheet, model.get("options"), store, blob);
  return () => {
    model.off("change:state", pull);
    takeDown();
  };
}
