"""Exercises that say what is wrong.

A chapter asks for a function, a number or a trained model. `check` looks at the answer and says in
one box that it is right, or the first thing that is wrong and which known mistake it is. `hint`
gives three hints, one at a time, and `progress` tells what is solved.

An exercise is one `Exercise` in the file of its chapter. Everything else here serves them all.
"""

from vaecourse.exercises.checking import check, hint, progress

__all__ = ["check", "hint", "progress"]
