"""A process that forks: each child runs one function of a test's module until it is killed.

The tests do not fork themselves. PyTorch refuses backward passes in the child of a process that
had one beside a GPU, and this process has none. Nor does each child start a Python of its own:
importing PyTorch takes much longer than most of them live.

Run as a program, this file reads one JSON object per line: a module, the name of its function, the
options of the function and the environment. It prints the number of the signal that ended the
child, or 0.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module

import torch

from vaecourse.training import adam


def _fork(function, options, environment):
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(environment)
        function(**options)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def _import_everything():
    """Take one step by hand: PyTorch imports half of itself at the first, in every child anew."""
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    adam([weight]).step()


@contextmanager
def killer():
    """Yield a function that lets a child call ``function(**options)``, which must kill it."""
    command = [sys.executable, __file__]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:

        def kill(function, **options):
            call = [function.__module__, function.__name__, options, dict(os.environ)]
            print(json.dumps(call), file=process.stdin, flush=True)
            assert int(process.stdout.readline()) == signal.SIGKILL

        yield kill
        process.stdin.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    _import_everything()
    for line in sys.stdin:
        module, name, options, environment = json.loads(line)
        print(_fork(getattr(import_module(module), name), options, environment), flush=True)
