"""What stands open on a built page, and what is cut off, at five widths."""

import pytest

from tests.test_pages import PAGES, name

pytestmark = pytest.mark.pages

CHAPTERS = [path for path in PAGES if name(path).startswith("book/") and path.stem[0].isdigit()]
WIDTHS = (360, 390, 768, 1280, 1600)
OPEN = """() => Object.fromEntries(['idea', 'check', 'drawing'].map(kind => {
  const folds = [...document.querySelectorAll(`details.code-${kind}`)];
  return [kind, [...new Set(folds.map(fold => fold.open))].sort()];
}))"""
# Folds and boxes are opened first: what a reader can open must not be cut either.
CUT = """() => {
  document.querySelectorAll('details').forEach(fold => { fold.open = true; });
  const wide = (inner, outer) => inner > outer + 1;
  const found = { equation: [], code: [], table: [] };
  for (const box of document.querySelectorAll('article mjx-container[display="true"]')) {
    const drawn = box.querySelector('svg').getBoundingClientRect().width;
    if (box.offsetParent && wide(drawn, box.clientWidth)) {
      found.equation.push(box.closest('.math').id || box.textContent.slice(0, 60));
    }
  }
  for (const pre of document.querySelectorAll('article .cell_input pre')) {
    if (pre.offsetParent && wide(pre.scrollWidth, pre.clientWidth)) {
      found.code.push(pre.textContent.slice(0, 60));
    }
  }
  for (const table of document.querySelectorAll('article table:not(.dataframe)')) {
    const room = table.parentElement.clientWidth;
    if (table.offsetParent && wide(table.getBoundingClientRect().width, room)) {
      found.table.push(table.textContent.slice(0, 60));
    }
  }
  return found;
}"""


def typeset(page, path):
    """Open a page and wait until its formulas are drawn and fitted."""
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("() => window.MathJax?.startup?.promise")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_nothing_is_cut_off(browser, path):
    page = browser.new_page()
    typeset(page, path)
    cut = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        cut |= {(width, kind): found for kind, found in page.evaluate(CUT).items() if found}
    page.close()
    assert cut == {}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_ideas_stand_open_and_the_rest_is_a_line_away(browser, path):
    page = browser.new_page()
    page.goto(path.as_uri(), wait_until="load")
    assert page.evaluate(OPEN) == {"idea": [True], "check": [False], "drawing": [False]}
    page.close()


@pytest.fixture
def page(browser):
    """Open the first chapter in a browser that has never seen it."""
    if not CHAPTERS:
        pytest.skip("the book is not built; `make book` builds it")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(CHAPTERS[0].as_uri(), wait_until="load")
    yield page
    context.close()


def test_the_switch_is_worked_by_keyboard_and_remembered(page):
    chosen = page.locator("fieldset.code-switch input:checked")
    assert chosen.get_attribute("value") == "ideas"
    chosen.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(OPEN) == {kind: [True] for kind in ("idea", "check", "drawing")}
    page.keyboard.press("ArrowRight")
    assert page.evaluate(OPEN) == {kind: [False] for kind in ("idea", "check", "drawing")}
    assert page.locator("details.code-idea > summary").first.is_visible()
    page.reload(wait_until="load")
    assert chosen.get_attribute("value") == "none"
    assert page.evaluate(OPEN)["idea"] == [False]


def test_a_line_opens_its_code_with_the_keyboard(page):
    line = page.locator("details.code-check > summary").first
    assert "#" not in line.inner_text()
    line.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.code-check pre").first.is_visible()


def test_without_scripts_all_code_is_shown(browser):
    if not CHAPTERS:
        pytest.skip("the book is not built; `make book` builds it")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(CHAPTERS[0].as_uri(), wait_until="load")
    code = page.locator("details.code-fold pre")
    assert code.count() > 10
    assert all(block.is_visible() for block in code.all())
    assert page.locator("fieldset.code-switch").count() == 0
    context.close()
