"""What stands under everything: devices, random numbers, precision, machine and terminal."""

from vaecourse.runtime.devices import *  # noqa: F403 - its list of names is the one list
from vaecourse.runtime.devices import __all__ as __all__
