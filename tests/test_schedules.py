"""Schedules against the values that their formulas give at ends, middle and corners."""

from math import cos, pi

import numpy as np
import pytest

import vaecourse as vc
from vaecourse import cyclical, linear_schedule, schedules, warmup_cosine


def _values(schedule, num):
    return np.array([schedule(step) for step in range(num)])


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (4.0, 0.5)])
def test_linear(start, end):
    schedule = linear_schedule(start, end, 10)
    np.testing.assert_allclose(_values(schedule, 11), np.linspace(start, end, 11), rtol=1e-15)
    assert (schedule(10), schedule(11), schedule(10**6)) == (end, end, end)
    assert schedule.steps == 10


def test_the_linear_schedule_keeps_its_former_name_and_its_identity_in_checkpoints():
    assert vc.linear is schedules.linear is linear_schedule
    assert "linear" not in dir(vc)
    assert str(vc.linear(0, 1, 3)) == "linear(0, 1, 3)"


def test_warmup_cosine():
    schedule = warmup_cosine(2.0, 4, 104)
    values = _values(schedule, 105)
    assert schedule.steps == 104
    assert values.argmax() == 4
    assert values[4] == 2.0
    assert values[0] > 0
    np.testing.assert_allclose(np.diff(values[:5]), values[0], rtol=1e-12)
    assert (np.diff(values[4:]) < 0).all()
    assert values[54] == pytest.approx(1.0)
    assert values[4 + 25] == pytest.approx(1 + cos(pi / 4))
    assert values[104] == pytest.approx(0, abs=1e-15)
    assert schedule(10**6) == schedule(104)


def test_cyclical():
    schedule = cyclical(0.0, 1.0, 40, 4)
    cycle = [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(_values(schedule, 40), cycle * 4, atol=1e-12)
    assert (schedule(40), schedule(10**6)) == (1.0, 1.0)


@pytest.mark.parametrize("cycles", [1, 3, 7, 49])
def test_cycles_start_where_they_should(cycles):
    """Rounding of step * cycles / steps must not shift a cycle's first step."""
    values = _values(cyclical(0.25, 1.0, 49 * cycles, cycles), 49 * cycles)
    np.testing.assert_array_equal(np.flatnonzero(values == 0.25), 49 * np.arange(cycles))


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (linear_schedule(0, 1, 2000), "linear(0, 1, 2000)"),
        (warmup_cosine(1e-3, 5, 10), "warmup_cosine(0.001, 5, 10)"),
        (cyclical(0, 1, 40, 4), "cyclical(0, 1, 40, 4)"),
    ],
)
def test_a_schedule_prints_as_the_call_that_makes_it(schedule, text):
    assert repr(schedule) == text


@pytest.mark.parametrize("steps", [0, -5, 2.5, True])
def test_steps_must_be_a_positive_integer(steps):
    for build in (
        lambda: linear_schedule(0, 1, steps),
        lambda: warmup_cosine(1, 1, steps),
        lambda: cyclical(0, 1, steps, 1),
    ):
        with pytest.raises(ValueError, match=f"steps must be a positive integer, got {steps}"):
            build()


def test_counts_that_make_no_schedule():
    with pytest.raises(ValueError, match="cycles must be a positive integer, got 0"):
        cyclical(0, 1, 10, 0)
    with pytest.raises(ValueError, match="warmup must be a positive integer, got 0"):
        warmup_cosine(1, 0, 10)


@pytest.mark.parametrize(("steps", "rise"), [(1, 0), (2, 1), (9, 4), (10, 5)])
def test_a_warmup_that_would_fill_the_run_takes_half_of_it(steps, rise):
    rates = [warmup_cosine(2.0, 10, steps)(step) for step in range(steps)]
    assert rates.index(max(rates)) == rise
    assert max(rates) == 2.0
    assert repr(warmup_cosine(2.0, 10, steps)) == f"warmup_cosine(2.0, {rise}, {steps})"
