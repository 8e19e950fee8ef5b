"""Exercises and quizzes in the built pages: shown, folded, and opened by keyboard."""

from pathlib import Path

import pytest

from vaecourse.exercises.catalogue import exercises

pytestmark = pytest.mark.pages

HTML = Path(__file__).resolve().parent.parent / "_build" / "html" / "book"
CHAPTERS = sorted({exercise.chapter for exercise in exercises().values()})
PAGES = {n: path for n in CHAPTERS for path in HTML.glob(f"{n:02}-*.html")}


@pytest.fixture
def page(browser, chapter):
    """Open one chapter."""
    opened = browser.new_page()
    opened.goto(PAGES[chapter].as_uri())
    yield opened
    opened.close()


@pytest.mark.parametrize("chapter", PAGES)
def test_every_stub_is_not_attempted_and_every_solution_is_right(page, chapter):
    mine = [exercise for exercise in exercises().values() if exercise.chapter == chapter]
    boxes = page.eval_on_selector_all(".vae-check", "all => all.map(box => box.textContent)")
    for exercise in mine:
        texts = [text for text in boxes if f" · {exercise.title}" in text]
        assert len(texts) == 2, exercise.name
        assert texts[0].startswith("○ Not attempted yet")
        assert texts[1].startswith("✓ Right"), texts[1]


@pytest.mark.parametrize("chapter", PAGES)
def test_exercises_are_numbered_and_their_solutions_are_folded(page, chapter):
    titles = page.eval_on_selector_all(
        "div.exercise > .admonition-title", "all => all.map(title => title.textContent)"
    )
    count = sum(exercise.chapter == chapter for exercise in exercises().values())
    numbers = [title.split()[1] for title in titles]
    assert numbers == [f"{chapter}.{k}" for k in range(1, count + 1)]
    folded = page.eval_on_selector_all(
        "div.solution", "all => all.map(one => one.classList.contains('toggle-hidden'))"
    )
    assert folded == [True] * count


@pytest.mark.parametrize("chapter", PAGES)
def test_a_quiz_opens_by_keyboard_and_without_a_script(page, chapter):
    options = page.locator("section#check-yourself details")
    assert options.count() >= 9
    first = options.first
    assert first.get_attribute("open") is None
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is not None
    assert first.locator(".sd-summary-content, .sd-card-body").first.is_visible()
    page.keyboard.press("Space")
    assert first.get_attribute("open") is None
