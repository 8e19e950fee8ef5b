// An extension of JupyterLab, in the form that its loader reads, so that nothing has to be built.
// A sentence holds <span class="glued NAME">; the number is in the output of the cell that glued it.
(() => {
  const MINE = "From the run in this notebook.";
  const RECORDED = "From the run that made the book. Run the notebook for a number of your own.";
  const NONE = "Run the notebook to see this number.";
  const STYLE = `
    .glued:not(.run) { color: var(--jp-content-font-color2); border-bottom: 1px dotted currentColor; }
    .jp-RenderedHTMLCommon blockquote.course-box {
      margin: 1em 0; padding: 0.75em 1em; border: 1px solid var(--jp-border-color2);
      border-left: 4px solid var(--jp-brand-color1);
      background: color-mix(in srgb, var(--jp-brand-color1) 7%, var(--jp-layout-color1)); }
    .course-box > :last-child { margin-bottom: 0 !important; }
    blockquote.course-box.warning { border-left-color: var(--jp-warn-color1) !important; }
    .jp-RenderedHTMLCommon details { margin-bottom: 0.5em; }
    .jp-RenderedHTMLCommon details[open] { padding-bottom: 0.25em; }
    .jp-RenderedHTMLCommon details + p { margin-top: 1.25em; }`;

  // The name and the text of every value in the outputs: later cells win.
  function valuesOf(model) {
    const found = new Map();
    for (const { type, outputs } of model.cells) {
      for (let at = 0; type === "code" && at < outputs.length; at++) {
        const { data, metadata } = outputs.get(at);
        const form = Object.keys(data ?? {}).find((key) => key.endsWith("text/plain"));
        const name = metadata?.scrapbook?.name;
        if (name && form) found.set(name, String(data[form]).replace(/^(['"])(.*)\1$/s, "$2"));
      }
    }
    return found;
  }

  function fill(notebook) {
    if (!notebook.model) return;
    const values = valuesOf(notebook.model);
    for (const place of notebook.node.querySelectorAll("span.glued")) {
      const name = place.classList[1];
      place.dataset.recorded ??= place.textContent;
      const text = values.get(name) ?? place.dataset.recorded;
      if (place.textContent !== text) place.textContent = text; // else it would call itself
      place.classList.toggle("run", values.has(name));
      place.title = values.has(name) ? MINE : text === "…" ? NONE : RECORDED;
    }
  }

  async function follow({ content, context, disposed }) {
    await context.ready;
    let waiting = 0;
    const soon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => fill(content));
    };
    // A text that was set anew changes the page, and so does a cell that ends: it gets its number.
    const seen = new MutationObserver(soon);
    seen.observe(content.node, { childList: true, subtree: true });
    disposed.connect(() => seen.disconnect());
    soon();
  }

  function activate(app, notebooks) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    document.head.append(style);
    notebooks.forEach(follow);
    notebooks.widgetAdded.connect((_, panel) => follow(panel));
  }

  let shared;
  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["reading-copies"] = {
    init: (scope) => void (shared = scope),
    async get() {
      const [version] = Object.values(shared["@jupyterlab/notebook"]);
      const { INotebookTracker } = (await version.get())();
      const plugin = { id: "reading-copies", autoStart: true, requires: [INotebookTracker], activate };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
