"""Answers that would harm a notebook: each is survived and gets a sentence."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from vaecourse.exercises import check, checking, sandbox
from vaecourse.exercises.result import Result

NAME = "04-log-likelihood"
SECONDS = 1.0


def right(x, mean, scale):
    return torch.distributions.Normal(mean, scale).log_prob(x).sum(-1)


class AClass:
    def __init__(self, x, mean, scale):
        pass


def endless(x, mean, scale):
    while True:
        pass


def swallowing(x, mean, scale):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


def sleeping(x, mean, scale):
    time.sleep(3600)


def allocating(x, mean, scale):
    kept = []
    while True:
        kept.append(torch.ones(2**22))


def growing(x, mean, scale):
    kept = []
    while True:
        kept.append("a" * 2**22)


def recursing(x, mean, scale):
    return recursing(x, mean, scale)


def printing(x, mean, scale):
    print("a line of litter\n" * 300_000)
    return right(x, mean, scale)


def raising(x, mean, scale):
    return x @ mean  # shapes do not fit


def leaving(x, mean, scale):
    sys.exit(3)


def dying(x, mean, scale):
    os._exit(3)


def crashing(x, mean, scale):
    os.kill(os.getpid(), signal.SIGSEGV)


def seeding(x, mean, scale):
    torch.manual_seed(0)
    return right(x, mean, scale)


def numpy_seeding(x, mean, scale):
    np.random.seed(0)  # noqa: NPY002
    return right(x, mean, scale)


def doubling(x, mean, scale):
    torch.set_default_dtype(torch.float64)
    return right(x, mean, scale)


def freezing(x, mean, scale):
    torch.set_grad_enabled(False)
    return right(x, mean, scale)


def overwriting(x, mean, scale):
    x -= mean
    return right(x + mean, mean, scale)


def looping(x, mean, scale):
    return torch.stack([right(a, b, scale) for a, b in zip(x, mean, strict=True)])


HOSTILE = {
    "nothing": (lambda x, mean, scale: None, "type", "None"),
    "numpy": (lambda x, mean, scale: right(x, mean, scale).detach().numpy(), "type", "NumPy"),
    "number": (lambda x, mean, scale: 1.0, "type", "number"),
    "text": (lambda x, mean, scale: "1", "type", "a str"),
    "nan": (lambda x, mean, scale: right(x, mean, scale) * torch.nan, "finiteness", "NaN"),
    "infinite": (lambda x, mean, scale: right(x, mean, scale) / 0, "finiteness", "infinite"),
    "shape": (lambda x, mean, scale: right(x, mean, scale)[None], "shape", "(1, 3)"),
    "half": (lambda x, mean, scale: right(x, mean, scale).half(), "dtype", "float16"),
    "cut": (lambda x, mean, scale: right(x, mean, scale).detach(), "gradient", "No gradient"),
    "in place": (overwriting, "properties", "in place"),
    "raises": (raising, "run", "RuntimeError"),
    "recursion": (recursing, "run", "calls itself"),
    "exits": (leaving, "run", "end Python"),
    "dies": (dying, "memory", "ended the Python process"),
    "crashes": (crashing, "memory", "ended the Python process"),
    "loops for ever": (endless, "time", "time"),
    "sleeps": (sleeping, "time", "time"),
    "swallows": (swallowing, "time", "finish"),
    "tensors": (allocating, "memory", "memory"),
    "strings": (growing, "memory", "memory"),
    "seed": (seeding, "properties", "seed"),
    "NumPy's seed": (numpy_seeding, "properties", "seed"),
    "dtype": (doubling, "properties", "default dtype"),
    "grad mode": (freezing, "properties", "gradients switched"),
    "class": (AClass, "signature", "class"),
    "not callable": (torch.zeros(3), "signature", "not its value"),
    "missing": (None, "signature", "None"),
    "fewer": (lambda x, mean: x, "signature", "(x, mean)"),
    "order": (lambda mean, x, scale: x, "signature", "order"),
}
IN_PROCESS = sorted(set(HOSTILE) - {"dies", "crashes", "swallows"})
LINUX = sys.platform.startswith("linux")
ALARM = hasattr(signal, "SIGALRM")
needs_a_child = pytest.mark.skipif(not LINUX, reason="only Linux has a safe fork")
needs_an_alarm = pytest.mark.skipif(not ALARM, reason="needs a system with alarms")


def skip_what_nothing_stops(kind):
    """Skip the answers that would stop the tests where the system offers nothing against them."""
    if not LINUX and (kind not in IN_PROCESS or HOSTILE[kind][1] == "memory"):
        pytest.skip("only Linux has a safe fork and a limit on memory")
    if not ALARM and HOSTILE[kind][1] == "time":
        pytest.skip("needs a system with alarms")


@pytest.fixture
def quick(monkeypatch):
    """Give answers little time and memory, and keep no record; let a child start at leisure."""
    monkeypatch.setattr(sandbox, "SECONDS", SECONDS)
    monkeypatch.setattr(sandbox, "READY_SECONDS", 60.0)
    monkeypatch.setattr(sandbox, "MEMORY", 2**28)
    monkeypatch.setenv("VAECOURSE_STATIC", "1")


@pytest.fixture
def no_fork(monkeypatch, quick):
    """Do as a system without a fork does."""
    monkeypatch.setattr(sandbox, "in_a_child", lambda task, seconds: None)


def settings():
    """Return everything that an answer might leave changed."""
    numpy_state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.get_rng_state().numpy().tobytes(),
        numpy_state,
        sys.getrecursionlimit(),
        signal.getsignal(signal.SIGALRM) if ALARM else None,
        sys.stdout,
    )


def survives(answer, stage, words):
    """Check one answer; it must take little time, change nothing and get a plain sentence."""
    before, begin = settings(), time.monotonic()
    result = check(NAME, answer)
    assert time.monotonic() - begin < sandbox.SECONDS + 6
    assert settings() == before
    assert isinstance(result, Result) and not result.passed
    assert (result.stage, words in result.message) == (stage, True), result
    for text in (repr(result), result._repr_html_()):
        assert "Traceback" not in text and "vaecourse" not in text.replace(NAME, "")
        assert not {"judging", "sandbox", "answers.py"} & set(text.split())
    return result


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_is_survived(kind, quick, monkeypatch):
    skip_what_nothing_stops(kind)
    if HOSTILE[kind][1] == "memory":  # which shall be filled before the time is up
        monkeypatch.setattr(sandbox, "SECONDS", 10.0)
    survives(*HOSTILE[kind])


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_hostile_answer_is_survived_without_a_fork(kind, no_fork, monkeypatch):
    skip_what_nothing_stops(kind)
    if HOSTILE[kind][1] == "memory":
        monkeypatch.setattr(sandbox, "SECONDS", 10.0)
    survives(*HOSTILE[kind])


def test_a_right_answer_and_a_lambda_are_right_with_and_without_a_fork(quick, monkeypatch):
    assert check(NAME, lambda x, mean, scale: right(x, mean, scale)).passed
    monkeypatch.setattr(sandbox, "in_a_child", lambda task, seconds: None)
    assert check(NAME, right).passed


def test_megabytes_of_print_are_cut(quick, capfd):
    result = check(NAME, printing)
    assert result.passed
    assert result.printed.startswith("a line of litter") and "characters more" in result.printed
    assert len(repr(result)) < 1000
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_shown_with_the_students_own_line(quick):
    result = check(NAME, raising)
    number = raising.__code__.co_firstlineno + 1
    assert result.line == f"line {number}: return x @ mean  # shapes do not fit"


@needs_an_alarm
def test_an_endless_loop_is_shown_where_it_is(quick):
    assert "pass" in check(NAME, endless).line or "while True" in check(NAME, endless).line


def test_a_stub_is_not_attempted(quick):
    def stub(x, mean, scale):
        raise NotImplementedError

    assert check(NAME, stub).status == "not attempted"


def test_backward_passes_and_threads_before_a_check_do_not_hang_it(quick):
    torch.set_num_threads(2)
    weights = torch.randn(300, 300, requires_grad=True)
    (weights @ weights).sum().backward()
    assert check(NAME, right).passed
    torch.set_num_threads(1)


@pytest.mark.parametrize("fork", [True, False])
def test_an_answer_that_breaks_the_measurement_gets_a_sentence(quick, monkeypatch, fork):
    if not fork:
        monkeypatch.setattr(sandbox, "in_a_child", lambda task, seconds: None)
    result = check("01-any-code", lambda x, encoder, decoder: (decoder[:1], encoder[:1]))
    assert result.status == "wrong" and "cannot be used here" in result.message
    assert not result.line and "size" not in result.message


@needs_an_alarm
def test_a_child_that_cannot_compute_gives_way_to_this_process(quick, monkeypatch):
    def refuse(task, seconds, pipe):
        raise RuntimeError("no backward pass after a fork")

    monkeypatch.setattr(sandbox, "be_the_child", refuse)
    assert check(NAME, right).passed
    survives(*HOSTILE["sleeps"])


@needs_a_child
def test_a_process_that_cannot_fork_checks_in_itself(quick, monkeypatch):
    def refuse():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert check(NAME, right).passed


@needs_a_child
def test_a_check_from_another_thread_stops_an_endless_loop(quick):
    found = []
    thread = threading.Thread(target=lambda: found.append(check(NAME, endless)))
    thread.start()
    thread.join(30)
    assert found[0].status == "stopped"


def test_an_unknown_name_is_answered_and_the_near_one_is_offered(quick):
    result = check("04-log-likelyhood", right)
    assert result.status == "unknown" and "'04-log-likelihood'" in result.message
    assert check(None, right).status == "unknown"


@needs_a_child
def test_no_child_is_left_behind(quick, monkeypatch):
    children, fork = [], os.fork
    monkeypatch.setattr(os, "fork", lambda: children.append(fork()) or children[-1])
    for answer in (right, sleeping):
        check(NAME, answer)
    assert len(children) == 2
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def test_the_box_is_announced_and_carries_the_hints(quick):
    html = check(NAME, lambda x, mean, scale: x.sum(-1))._repr_html_()
    assert 'role="status"' in html and html.count("<details") == 3
    assert "&lt;" in Result("a", "<b>", "wrong", "1 < 2")._repr_html_()
    assert "<details" not in check(NAME, right)._repr_html_()


def test_the_limits_that_learners_meet():
    assert sandbox.SECONDS == checking.SECONDS == 10.0
    assert sandbox.MEMORY == 2 * 1024**3


def test_a_loop_passes_with_a_remark_where_no_task_forbids_it(quick):
    result = check(NAME, looping)
    assert result.passed and "loops over the rows" in result.message


def test_no_gradient_is_a_gradient_of_zero(quick):
    def constrained(bound, logits, y, multiplier):
        told = y >= 0
        loss = torch.nn.functional.cross_entropy
        return -bound.mean() + multiplier * (loss(logits[told], y[told]) if told.any() else 0.0)

    assert check("10-lagrangian", constrained).passed


def test_numbers_may_come_as_tensors_of_one(quick):
    def beta_and_scale(event_shape, kl_weight):
        beta = kl_weight * torch.tensor(event_shape).prod() / 2
        return beta, beta.sqrt()

    assert check("06-effective-beta", beta_and_scale).passed
