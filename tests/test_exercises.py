"""Every exercise: its solution, its stub, its known mistakes, and other right answers."""

import re
from pathlib import Path

import nbformat
import pytest

from vaecourse.exercises.answers import Answer
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.judging import judge, profile, recognized
from vaecourse.exercises.notebooks import read

BOOK = Path(__file__).resolve().parent.parent / "book"
EXERCISES = exercises()
KNOWN = [(e, mistake) for e in EXERCISES.values() for mistake in e.catalogue]
OTHERS = [(e, answer) for e in EXERCISES.values() for answer in e.alternatives]
CHAPTERS = sorted({exercise.chapter for exercise in EXERCISES.values()})

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))


def page(chapter):
    """Return the notebook of a chapter."""
    return next(BOOK.glob(f"{chapter:02}-*.ipynb"))


@pytest.fixture(scope="module")
def answers():
    """Give the stubs and the solutions of a chapter, taken from its notebook once."""
    known = {}

    def give(exercise, solutions):
        key = exercise.chapter, solutions
        if key not in known:
            asked = read(page(exercise.chapter), solutions=solutions).asked
            known[key] = {one.name: one for one in asked}
        return known[key][exercise.name].made()

    return give


@each_exercise
def test_the_solution_in_the_chapter_is_right(exercise, answers):
    result = judge(exercise, answers(exercise, solutions=True))
    assert result.passed, result


@each_exercise
def test_the_stub_in_the_chapter_is_not_attempted(exercise, answers):
    assert judge(exercise, answers(exercise, solutions=False)).status == "not attempted"


@each_exercise
def test_an_exercise_is_complete(exercise):
    assert re.fullmatch(r"\d\d-[a-z0-9-]+", exercise.name)
    assert exercise.difficulty in (1, 2, 3) and 1 <= exercise.minutes <= 60
    assert len(set(exercise.hints)) == 3 and all(len(hint) > 20 for hint in exercise.hints)
    assert len(exercise.alternatives) >= 1
    if exercise.parameters is not None:
        assert len(exercise.catalogue) >= 4
    messages = [mistake.message for mistake in exercise.catalogue]
    assert all(len(words) > 20 for words in messages)
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(
    ("exercise", "mistake"), KNOWN, ids=[f"{e.name}-{m.name}" for e, m in KNOWN]
)
def test_a_known_mistake_is_called_by_its_own_name_and_no_other(exercise, mistake):
    wrong = mistake.wrong() if exercise.parameters is None else mistake.wrong
    result = judge(exercise, wrong)
    assert (result.status, result.mistake) == ("wrong", mistake.name), result
    assert result.message == mistake.message
    answer = Answer(exercise, wrong)
    named = recognized(exercise, answer, profile(exercise, answer))
    assert [other.name for other in named] == [mistake.name]


@pytest.mark.parametrize(
    ("exercise", "answer"), OTHERS, ids=[f"{e.name}-{a.__name__}" for e, a in OTHERS]
)
def test_a_right_answer_written_differently_is_right(exercise, answer):
    result = judge(exercise, answer() if exercise.parameters is None else answer)
    assert result.passed, result


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_its_exercises_in_order_and_says_what_they_cost(chapter):
    cells = nbformat.read(page(chapter), as_version=4).cells
    mine = [exercise for exercise in EXERCISES.values() if exercise.chapter == chapter]
    assert 3 <= len(mine) <= 5
    gate = re.compile(r"```\{exercise-start\} (.+)\n:label: ex-(\S+)\n```")
    starts = [(i, gate.match(cell.source)) for i, cell in enumerate(cells)]
    starts = [(i, match) for i, match in starts if match]
    assert [match.groups() for _, match in starts] == [(e.title, e.name) for e in mine]
    for (i, _), exercise in zip(starts, mine, strict=True):
        stars, minutes = "★" * exercise.difficulty, exercise.minutes
        assert cells[i + 1].source.startswith(f"{stars} · {minutes} minutes\n")
        stub, solution = cells[i + 2], cells[i + 5]
        assert stub.source.splitlines()[-1].startswith(f'check("{exercise.name}", ')
        assert cells[i + 3].source == "```{exercise-end}\n```"
        assert cells[i + 4].source.startswith(f"```{{solution-start}} ex-{exercise.name}\n")
        assert solution.metadata.tags == ["solution"]
        assert solution.source.splitlines()[-1].endswith(", counts=False)")
        assert cells[i + 6].source == "```{solution-end}\n```"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_ends_with_a_quiz_that_explains_every_option(chapter):
    prose = [c.source for c in nbformat.read(page(chapter), as_version=4).cells]
    quiz = next(text for text in prose if text.startswith("## Check yourself"))
    questions = re.split(r"^\*\*\d\. ", quiz, flags=re.MULTILINE)[1:]
    assert 3 <= len(questions) <= 5
    option = re.compile(r"^:::\{dropdown\} \(([a-f])\) (.+)\n\*\*(Right|No)\.\*\* (.+\n)+:::", re.M)
    for question in questions:
        found = option.findall(question)
        assert [letter for letter, *_ in found] == list("abcdef"[: len(found)])
        assert len(found) >= 3 and question.count(":::{dropdown}") == len(found)
        assert [verdict for _, _, verdict, _ in found].count("Right") == 1
        assert all(len(why.split()) >= 4 for *_, why in found)


def test_there_are_forty_exercises_and_every_chapter_has_some():
    assert len(EXERCISES) >= 40
    chapters = sorted(int(path.name[:2]) for path in BOOK.glob("[0-9][0-9]-*.ipynb"))
    assert chapters == CHAPTERS
