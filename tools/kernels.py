"""Kernels that run in this very interpreter, whatever the machine calls ``python3``.

Jupyter takes the first kernel of that name on a search path. ``JUPYTER_PATH`` comes first, and the
user's own folder may come before the environment's. That kernel may be another environment's.
"""

from ipykernel.kernelspec import KERNEL_NAME, RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager


class ThisInterpreter(KernelSpecManager):
    """Know one kernel, ``python3``, and let it be the interpreter that asks."""

    def find_kernel_specs(self):
        """Return the one name, with the folder of its icons."""
        return {KERNEL_NAME: RESOURCES}

    def get_kernel_spec(self, kernel_name):
        """Return how to start the one kernel; there is no other."""
        if kernel_name != KERNEL_NAME:
            raise NoSuchKernel(kernel_name)
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class KernelHere(AsyncKernelManager):
    """Start and end one kernel in the interpreter that asks for it."""

    specs = ThisInterpreter

    def _kernel_spec_manager_default(self):
        return self.specs(parent=self)


def kernel_of(python, *arguments):
    """Return the class of a kernel that another interpreter runs, with further arguments."""

    class OtherInterpreter(ThisInterpreter):
        def get_kernel_spec(self, kernel_name):
            spec = super().get_kernel_spec(kernel_name)
            spec.argv = [str(python), *spec.argv[1:], *arguments]
            return spec

    return type("Kernel", (KernelHere,), {"specs": OtherInterpreter})
