"""What a check says of answers that nobody wrote it for: by comparison, not by a list."""

import math

import pytest
import torch
from student_answers import written

from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.judging import judge
from vaecourse.exercises.mutating import mutants
from vaecourse.exercises.sandbox import settings_restored

SAMPLE = [answer for number, answer in enumerate(written()) if number % 41 == 0]


def told(name, answer):
    """Judge an answer that must be refused; return the name and the words."""
    with settings_restored():
        result = judge(exercises()[name], answer)
    assert not result.passed
    return result.mistake, result.message


@pytest.mark.parametrize("answer", SAMPLE, ids=lambda answer: answer.place)
def test_right_answers_pass_and_wrong_ones_do_not(answer):
    with settings_restored():
        result = judge(answer.exercise, answer.function())
    assert result.passed == answer.is_right, (answer.body, result)


def log_density(x, mean, scale):
    return torch.distributions.Normal(mean, scale).log_prob(x).sum(-1)


COMPARED = {
    "bits": lambda x, m, s: log_density(x, m, s) / math.log(2),
    "not-reduced": lambda x, m, s: torch.distributions.Normal(m, s).log_prob(x),
    "reduced-too-far": lambda x, m, s: log_density(x, m, s).mean(),
    "factor": lambda x, m, s: log_density(x, m, s) - x.shape[1] * math.log(s),
    "missing-term": lambda x, m, s: log_density(x, m, s) + x.shape[1] * math.log(s),
    "square": lambda x, m, s: log_density(x, m, s**2),
    "constant": lambda x, m, s: 0 * log_density(x, m, s) - 3.0,
    "no-gradient": lambda x, m, s: log_density(x, m.detach(), s),
}


@pytest.mark.parametrize("name", COMPARED)
def test_a_comparison_finds_what_no_list_holds(name):
    wrong = COMPARED[name]
    kind, words = told("04-log-likelihood", lambda x, mean, scale: wrong(x, mean, scale))
    assert kind == name, words


def test_nothing_is_named_that_fits_one_case_alone():
    kind, words = told(
        "04-log-likelihood",
        lambda x, mean, scale: log_density(x, mean, scale) * (2 if len(x) == 3 else 3),
    )
    assert not kind, words


def test_an_offset_is_not_told_as_a_ratio():
    words = told("04-log-likelihood", lambda x, m, s: log_density(x, m, s) + 0.37)[1]
    assert words.startswith("Every value is 0.37 too high")


FORMULAS = [(e, formula) for e in exercises().values() for formula in e.formulas]


@pytest.mark.parametrize(
    ("exercise", "formula"), FORMULAS[::7], ids=[f"{e.name}-{f.__name__}" for e, f in FORMULAS[::7]]
)
def test_a_formula_is_right_before_it_is_broken(exercise, formula):
    assert len(mutants(formula)) > 5
    with settings_restored():
        assert judge(exercise, formula).passed
