"""What stands under everything: devices, random numbers, precision, machine and terminal."""

from vaecourse.runtime.devices import (
    PRECISIONS,
    Evaluable,
    autocast,
    check_precision,
    device_name,
    evaluating,
    is_static,
    isolated_rng,
    keep_freed_memory,
    matmul_precision,
    multiplies_in_bfloat16,
    needs_autocast,
    passes,
    progress_bar,
    resolve_device,
    subnormals_as_zero,
)

__all__ = [
    "PRECISIONS",
    "Evaluable",
    "autocast",
    "check_precision",
    "device_name",
    "evaluating",
    "is_static",
    "isolated_rng",
    "keep_freed_memory",
    "matmul_precision",
    "multiplies_in_bfloat16",
    "needs_autocast",
    "passes",
    "progress_bar",
    "resolve_device",
    "subnormals_as_zero",
]
