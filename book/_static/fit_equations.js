// A displayed equation that is wider than its place is set smaller, as far as it stays readable.
(() => {
  const SMALLEST = 0.72; // of its usual size; what is wider still scrolls, with a visible edge

  function fit(place) {
    const container = place.querySelector('mjx-container[display="true"]');
    const drawing = container?.querySelector("svg");
    if (!drawing) return;
    container.style.fontSize = "";
    const usual = parseFloat(getComputedStyle(container).fontSize);
    const ratio = container.clientWidth / drawing.getBoundingClientRect().width;
    if (ratio < 1) container.style.fontSize = `${usual * Math.max(SMALLEST, 0.995 * ratio)}px`;
  }

  const fitAll = () => document.querySelectorAll("article div.math").forEach(fit);

  window.addEventListener("load", () => {
    window.MathJax?.startup?.promise?.then(() => {
      fitAll();
      window.addEventListener("resize", fitAll);
    });
  });
})();
