"""The weathers that chapters run in: what each changes, as environment variables of the kernel.

A claim that holds in one of them alone is luck. An entry of None removes the variable.
"""

import platform

SEEDS = {f"seeds-{n}": {"VAECOURSE_SEED_OFFSET": str(1000 * n)} for n in range(1, 7)}
INSTRUCTIONS = {
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
    "sse": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
}
DICE = ("VAECOURSE_SEED_OFFSET", *INSTRUCTIONS["avx2"])
"""The variables that change the numbers of a chapter: other seeds, another instruction set."""
STROKES = {"VAECOURSE_DATA": None, "VAECOURSE_OFFLINE": "1"}
WEATHERS = {
    "plain": {},
    **SEEDS,
    **INSTRUCTIONS,
    "two-threads": {"OMP_NUM_THREADS": "2"},
    "other-torch": {},
    "strokes": STROKES,
}
"""In the order they run in. ``other-torch`` is the plain one with another interpreter."""


def of_tree(tree):
    """Choose the seeds and the instruction set that belong to `tree`, a hexadecimal name.

    Every tree has other seeds than the book, and two of three another instruction set.
    """
    number = int(tree[:12], 16)
    sets = [{}, *INSTRUCTIONS.values()] if platform.machine() in ("x86_64", "AMD64") else [{}]
    return {**list(SEEDS.values())[number % len(SEEDS)], **sets[number // 6 % len(sets)]}
