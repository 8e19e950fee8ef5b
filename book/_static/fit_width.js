// What is wider than its place: an equation is set smaller, as far as it stays readable, and the
// rows of a table become cards, with the heading of a column before each value.
(() => {
  const SMALLEST = 0.72; // of its usual size; what is wider still scrolls, with a visible edge
  const ROLES = { THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "columnheader", TD: "cell" };

  function fitEquation(place) {
    const container = place.querySelector('mjx-container[display="true"]');
    const drawing = container?.querySelector("svg");
    if (!drawing) return;
    container.style.fontSize = "";
    const usual = parseFloat(getComputedStyle(container).fontSize);
    let size = usual;
    // In steps: a browser rounds the letters' height, which the width of a drawing is measured in.
    while (size > SMALLEST * usual) {
      const ratio = container.clientWidth / drawing.getBoundingClientRect().width;
      if (ratio >= 1) return;
      size = Math.max(SMALLEST * usual, size * Math.min(ratio, 0.98));
      container.style.fontSize = `${size}px`;
    }
  }

  // Cards are blocks to the browser; the roles tell a screen reader that they are a table still.
  function name(table) {
    const headings = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    table.setAttribute("role", "table");
    table.querySelectorAll("thead, tbody, tr, th, td").forEach((part) => {
      part.setAttribute("role", ROLES[part.tagName]);
    });
    table.querySelectorAll("tbody tr").forEach((row) => {
      [...row.children].forEach((cell, column) => {
        cell.dataset.heading = headings[column] ?? "";
      });
    });
  }

  function fitTable(table) {
    table.classList.remove("as-cards");
    const tooWide = table.getBoundingClientRect().width > table.parentElement.clientWidth + 1;
    if (!tooWide || !table.querySelector("thead")) return;
    name(table);
    table.classList.add("as-cards");
  }

  function fitAll() {
    document.querySelectorAll("article div.math").forEach(fitEquation);
    document.querySelectorAll("article table:not(.dataframe)").forEach(fitTable);
  }

  window.addEventListener("load", () => {
    (window.MathJax?.startup?.promise ?? Promise.resolve()).then(() => {
      fitAll();
      window.addEventListener("resize", fitAll);
      // What lies in a fold has no width until it is opened.
      document.addEventListener("toggle", fitAll, true);
    });
  });
})();
