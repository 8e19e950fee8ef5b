"""Each live figure in a browser, on a page opened from disk with every other request refused."""

import time
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import interactive_examples as examples
from vaecourse import interactive

NAMES = list(examples.EXAMPLES)
CSS = Path(__file__).resolve().parent.parent / "book/_static/course.css"
FRAME = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
every_figure = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def show(browser, tmp_path):
    """Return a function that opens a page of figures and records what goes wrong on it."""
    (tmp_path / "course.css").write_text(CSS.read_text(encoding="utf-8"), encoding="utf-8")
    contexts = []

    def open_page(*names, width=800, **options):
        path = tmp_path / "figures.html"
        path.write_text(examples.page(*names), encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.wrong = []

        def route(request_route):
            if urlsplit(request_route.request.url).scheme in ("file", "data"):
                return request_route.continue_()
            page.wrong.append(request_route.request.url)
            return request_route.abort()

        page.route("**/*", route)
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.evaluate(FRAME)
        return page

    yield open_page
    for context in contexts:
        context.close()


DRAWN = """index => {
  const root = document.querySelectorAll(".vae-live")[index].shadowRoot;
  const pixels = [...root.querySelectorAll("canvas")].map(canvas => canvas.toDataURL());
  return [...pixels, ...[...root.querySelectorAll("svg")].map(drawing => drawing.outerHTML)]; }"""


def picture(page, index=0):
    """Return what one figure shows: the pixels of its canvases, the text of its drawings."""
    page.evaluate(FRAME)
    return page.evaluate(DRAWN, index)


def point(box, share):
    return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]


def drag(page, name, index=0, steps=6):
    """Drag in one figure with the mouse."""
    target, start, end = examples.EXAMPLES[name].dragged
    handle = page.locator(".vae-live").nth(index).locator(target)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(*point(box, start))
    page.mouse.down()
    page.mouse.move(*point(box, end), steps=steps)
    page.mouse.up()


@every_figure
def test_a_drag_and_a_key_change_the_picture_and_nothing_is_asked_of_the_network(show, name):
    page = show(name)
    first = picture(page)
    drag(page, name)
    second = picture(page)
    assert second != first
    target, key = examples.EXAMPLES[name].keyed
    page.locator(target).focus()
    page.keyboard.press(key)
    assert picture(page) != second
    assert page.wrong == []


@every_figure
def test_a_finger_changes_the_picture(show, name):
    page = show(name, has_touch=True, is_mobile=True)
    first = picture(page)
    target, start, end = examples.EXAMPLES[name].dragged
    handle = page.locator(target)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    session = page.context.new_cdp_session(page)
    places = [start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end]
    for kind, place in zip(["touchStart", "touchMove", "touchMove"], places, strict=True):
        x, y = point(box, place)
        touch = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", touch)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert picture(page) != first
    assert page.wrong == []


MOVES = """([box, start, end]) => new Promise(done => {
  const times = []; let last = performance.now();
  const step = now => {
    times.push(now - last); last = now;
    if (times.length > 60) return done(times.slice(1));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step); })"""


@every_figure
def test_frames_keep_coming_while_it_is_dragged(show, name):
    page = show(name)
    target, start, end = examples.EXAMPLES[name].dragged
    box = page.locator(target).bounding_box()
    page.evaluate(f"given => {{ window.frames_ = ({MOVES})(given) }}", [box, start, end])
    page.mouse.move(*point(box, start))
    page.mouse.down()
    begin = time.perf_counter()
    page.mouse.move(*point(box, end), steps=40)
    seconds = time.perf_counter() - begin
    page.mouse.up()
    times = sorted(page.evaluate("() => window.frames_"))
    print(f"{name}: median frame {times[30]:.1f} ms, slowest {times[-1]:.1f} ms, {seconds:.1f} s")
    assert len(times) == 60


@every_figure
def test_two_of_a_kind_do_not_meddle_with_each_other_or_with_the_page(show, name):
    page = show(name, name)
    assert page.locator("[data-live]").count() == 2
    second = picture(page, 1)
    first = picture(page)
    drag(page, name)
    assert picture(page) != first
    assert picture(page, 1) == second
    names = "() => Object.getOwnPropertyNames(window).sort()"
    assert page.evaluate(names) == show().evaluate(names)
    ids = page.evaluate("() => document.querySelectorAll('[data-figure] [id]').length")
    assert ids == 0


@every_figure
def test_a_picture_in_words_stands_where_scripts_are_off_and_in_print(show, name):
    still = show(name, java_script_enabled=False).locator("[data-figure] img")
    assert still.is_visible()
    assert still.bounding_box()["height"] > 150
    assert len(still.get_attribute("alt").split()) > 10
    page = show(name)
    image, live = page.locator("[data-figure] img"), page.locator(".vae-live")
    assert not image.is_visible() and live.is_visible()
    page.emulate_media(media="print")
    assert image.is_visible() and not live.is_visible()


@every_figure
def test_it_fits_a_phone(show, name):
    page = show(name, width=360)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    assert page.locator(".vae-live").bounding_box()["width"] <= 360


@every_figure
def test_it_follows_the_page_into_the_dark_and_axe_finds_nothing(show, name):
    page = show(name)
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(source)
    rules = "() => axe.run(document, {preload: false}).then(r => r.violations.map(v => [v.id, "
    rules += "v.nodes.map(n => n.html + n.failureSummary).join()]))"
    assert page.evaluate(rules) == []
    light = page.locator(".vae-live").screenshot()
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
    page.evaluate(FRAME)
    assert page.locator(".vae-live[data-dark]").count() == 1
    assert page.locator(".vae-live").screenshot() != light
    assert page.evaluate(rules) == []


def test_a_walk_goes_in_steps_for_readers_who_want_stillness(show):
    page = show("latent-explorer", reduced_motion="reduce")
    play = page.get_by_role("button", name="Play the walk")
    play.click()
    assert page.locator("input[name=along]").input_value() == "0.1"
    play.click()
    assert page.locator("input[name=along]").input_value() == "0.2"


def test_a_walk_plays_to_its_end_otherwise(show):
    page = show("latent-explorer")
    page.get_by_role("button", name="Play the walk").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_role("button", name="Play the walk").wait_for()
    assert page.locator("input[name=along]").input_value() == "1"


def test_climbing_the_bound_closes_the_gap(show):
    page = show("elbo-gap", reduced_motion="reduce")
    page.get_by_role("button", name="Climb the bound").click()
    page.evaluate(FRAME)
    assert "posterior) = 0.00" in page.locator(".chart >> nth=1").text_content()


def test_all_figures_share_a_page(show):
    page = show(*NAMES)
    assert page.locator("[data-live]").count() == len(NAMES)
    assert page.wrong == []


def test_a_page_of_networks_weighs_no_more_than_600_kilobytes():
    model, _ = examples.models()
    explorer = examples.FIGURES["latent-explorer"]()
    binary = examples.digits().x.round()
    drawing = interactive.draw_a_digit(model, examples.digits(), binary, beside=explorer)
    assert set(drawing.blobs) & set(explorer.blobs)
    total = len(explorer.html()) + len(drawing.html())
    assert total < 600_000
    assert total < len(explorer.html()) + len(examples.html("draw-a-digit"))
