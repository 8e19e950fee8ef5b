// Which code of a page stands open: ideas, all of it, or none. The choice is remembered.
// The page is written with everything open; without this script it stays so.
(() => {
  const KEY = "vaecourse-code";
  const MODES = { ideas: "Ideas", all: "All code", none: "None" };
  const root = document.documentElement;

  function remembered() {
    try {
      const mode = localStorage.getItem(KEY);
      return mode in MODES ? mode : "ideas";
    } catch {
      return "ideas"; // a browser may refuse storage to a file
    }
  }

  let mode = remembered();
  root.dataset.code = mode;

  function settle(fold) {
    fold.open = mode === "all" || (mode === "ideas" && fold.classList.contains("code-idea"));
  }

  function settleWithin(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches("details.code-fold")) settle(node);
    node.querySelectorAll("details.code-fold").forEach(settle);
  }

  // Folds close while the page is being read, so that nothing jumps when it is there.
  const arriving = new MutationObserver((changes) =>
    changes.forEach((change) => change.addedNodes.forEach(settleWithin)),
  );
  arriving.observe(root, { childList: true, subtree: true });

  function choose(next) {
    const article = document.querySelector("article");
    const seen = [...article.querySelectorAll("p, h2, h3, figure, summary")].find(
      (element) => element.getBoundingClientRect().top > 0,
    );
    const before = seen?.getBoundingClientRect().top;
    mode = next;
    root.dataset.code = mode;
    settleWithin(article);
    // What the reader looks at stays where it is.
    if (seen) window.scrollBy({ top: seen.getBoundingClientRect().top - before, behavior: "instant" });
    try {
      localStorage.setItem(KEY, mode);
    } catch {
      // then the choice holds for this page
    }
  }

  function makeSwitch() {
    const fieldset = document.createElement("fieldset");
    fieldset.className = "code-switch";
    const legend = document.createElement("legend");
    legend.textContent = "Code on this page";
    fieldset.append(legend);
    for (const [value, words] of Object.entries(MODES)) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "code", value, checked: value === mode });
      input.addEventListener("change", () => choose(value));
      label.append(input, words);
      fieldset.append(label);
    }
    return fieldset;
  }

  document.addEventListener("DOMContentLoaded", () => {
    arriving.disconnect();
    settleWithin(document.body);
    if (document.querySelector("details.code-fold")) {
      document.querySelector("article h1")?.after(makeSwitch());
    }
  });
})();
