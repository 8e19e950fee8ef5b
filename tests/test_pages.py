"""Every page of the built book, opened from disk in a browser without a network."""

import re
from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.pages

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
INDEX = HTML / "index.html"  # only leads on to the first page
PAGES = sorted(set(HTML.rglob("*.html")) - set(HTML.rglob("_static/**/*.html")) - {INDEX})
# The theme's own, which no setting of ours reaches: aria-labels that differ from the visible words
# of its buttons, and its sidebar logo outside a landmark.
THEME_FINDINGS = {"label-content-name-mismatch", "region"}
WIDTHS = (360, 1600)
PROGRESS = re.compile(r"\d(?:\.\d+)?\s?(?:it/s|s/it)\b|\d%\|")


def name(path):
    """Name a page as ``_toc.yml`` does."""
    return path.relative_to(HTML).with_suffix("").as_posix()


def listen(page):
    """Abort and record every request that leaves the disk; record failures and console errors."""
    seen = {"remote": [], "failed": [], "errors": []}

    def route(request_route):
        url = request_route.request.url
        if urlsplit(url).scheme in ("file", "data", "blob"):
            request_route.continue_()
        else:
            seen["remote"].append(url)
            request_route.abort()

    def log(message):
        if message.type == "error":
            seen["errors"].append(message.text)

    page.route("**/*", route)
    page.on("requestfailed", lambda request: seen["failed"].append(request.url))
    page.on("console", log)
    page.on("pageerror", lambda error: seen["errors"].append(str(error)))
    return seen


@pytest.fixture(scope="module")
def opened(browser, path):
    """Open one page, wait for its formulas, and scroll through it, so that all of it has loaded."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.seen = listen(page)
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def test_the_book_is_built_whole():
    """A page for each entry of the contents, and a root page that leads to the first."""
    if not HTML.exists():
        pytest.skip("the book is not built; `make book` builds it")
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"^\s*-?\s*(?:root|file):\s*(\S+)", contents, re.MULTILINE))
    assert named <= {name(path) for path in PAGES}
    root = re.search(r"^root:\s*(\S+)", contents, re.MULTILINE).group(1)
    assert f"{root}.html" in INDEX.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem, scope="module")
class TestPage:
    """One page, opened once."""

    def test_asks_nothing_of_another_host_and_misses_nothing(self, opened):
        assert opened.seen == {"remote": [], "failed": [], "errors": []}

    def test_every_formula_is_typeset(self, opened):
        count = "s => document.querySelectorAll(s).length"
        formulas = opened.evaluate(count, "div.math, span.math")
        typeset = opened.evaluate(count, "div.math mjx-container svg, span.math mjx-container svg")
        assert typeset >= formulas
        assert opened.evaluate(count, "mjx-merror, [data-mjx-error], mjx-container .merror") == 0
        text = opened.evaluate(
            "() => { const copy = document.querySelector('main').cloneNode(true);"
            "copy.querySelectorAll('pre, code, script, mjx-container').forEach(e => e.remove());"
            "return copy.textContent }"
        )
        assert not re.search(r"\\\(|\\\[|\$\$|\\(?:frac|mathbb|theta|phi)\b", text)

    def test_every_image_loaded_and_is_described(self, opened):
        images = opened.evaluate(
            "() => [...document.querySelectorAll('article img')]"
            ".map(i => [i.getAttribute('alt') || '', i.naturalWidth, i.currentSrc])"
        )
        for alt, width, source in images:
            assert width > 0, f"{source} did not load"
            assert len(alt.split()) >= 3, f"{source} has the alt text {alt!r}"
            assert not re.search(r"_images|\.(png|svg|jpg)$", alt), f"{source}: {alt!r} is a path"

        drawings = opened.evaluate(
            "() => [...document.querySelectorAll('.cell_output svg')]"
            ".filter(s => !s.closest('mjx-container, svg svg, [aria-hidden=true]'))"
            ".map(s => (s.getAttribute('aria-label') || '') + "
            "[...s.querySelectorAll(':scope > title, :scope > desc')].map(e => e.textContent))"
        )
        for words in drawings:
            assert len(words.split()) >= 3, f"a drawing is described by {words!r}"

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing_serious(self, opened, theme):
        findings = axe(opened, theme)
        assert [f for f in findings if f[0] not in THEME_FINDINGS] == []

    @pytest.mark.parametrize("width", WIDTHS)
    def test_nothing_is_wider_than_the_page(self, opened, width):
        opened.set_viewport_size({"width": width, "height": 900})
        extent = opened.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        opened.set_viewport_size({"width": 1280, "height": 900})
        assert extent[0] <= extent[1]

    def test_no_progress_bar_is_left_in_an_output(self, path):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for output in soup.select(".cell_output"):
            text = output.get_text()
            assert "\r" not in text
            assert not PROGRESS.search(text), PROGRESS.search(text).group()

    def test_every_link_and_anchor_leads_somewhere(self, path, anchors):
        assert list(broken_links(path, anchors)) == []


def axe(page, theme):
    """Run axe-core in one theme; return the serious findings as (rule, element, why)."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    page.evaluate(
        "() => Promise.allSettled(document.getAnimations().map(animation => animation.finished))"
    )
    if not page.evaluate("() => !!window.axe"):
        page.evaluate(
            resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        )
    violations = page.evaluate(
        "() => axe.run(document, {preload: false, resultTypes: ['violations']})"
        ".then(result => result.violations)"
    )
    return [
        (rule["id"], node["html"][:160], node["failureSummary"][:300])
        for rule in violations
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def anchors():
    """Return the ids of every built page."""
    ids = {}
    for page in PAGES:
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        ids[page.resolve()] = {tag.get("id") or tag.get("name") for tag in soup.find_all(True)}
    return ids


def broken_links(path, anchors):
    """Name the links of a page to files and anchors that are not there."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    links = [tag["href"] for tag in soup.find_all("a", href=True)]
    links += [tag["src"] for tag in soup.find_all(["img", "script"], src=True)]
    links += [tag["href"] for tag in soup.find_all("link", href=True)]
    for link in sorted(set(links)):
        address, fragment = urldefrag(link)
        if urlsplit(address).scheme or link in ("#", ""):
            continue
        target = (path.parent / unquote(urlsplit(address).path)).resolve() if address else path
        if not target.exists() or (
            fragment and target in anchors and unquote(fragment) not in anchors[target]
        ):
            yield link


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path):
    page = tmp_path / "a.html"
    links = '<p id="here"><a href="b.html">x</a><a href="#gone">y</a><a href="#here">z</a>'
    page.write_text(links, encoding="utf-8")
    assert list(broken_links(page, {page: {"here"}})) == ["#gone", "b.html"]


def test_search_works_without_a_network(browser):
    if not PAGES:
        pytest.skip("the book is not built; `make book` builds it")
    page = browser.new_page()
    seen = listen(page)
    page.goto((HTML / "search.html").as_uri() + "?q=errata")
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all("#search-results li a", "links => links.map(a => a.href)")
    page.close()
    assert any("errata" in url for url in found)
    assert seen == {"remote": [], "failed": [], "errors": []}


def test_the_browser_checks_can_fail(browser, tmp_path):
    """A planted page: a remote image, a script error, a low contrast, a progress bar."""
    planted = tmp_path / "planted.html"
    planted.write_text(
        '<html lang="en"><title>t</title><main><h1>t</h1><p style="color:#999">faint</p>'
        '<img src="https://host.invalid/a.png" alt="x"><script>missing()</script></main></html>',
        encoding="utf-8",
    )
    page = browser.new_page()
    seen = listen(page)
    page.goto(planted.as_uri())
    findings = {finding[0] for finding in axe(page, "light")}
    page.close()
    assert seen["remote"] == ["https://host.invalid/a.png"]
    assert any("missing" in error for error in seen["errors"])
    assert "color-contrast" in findings
    assert PROGRESS.search("37%|███▋      | 12/32 [00:01<00:02, 9.13it/s]")
