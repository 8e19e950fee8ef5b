"""Replay what once went wrong for readers with their own data, machines and habits.

    python tools/replay.py              run the tests of every kind, print a table of what held
    python tools/replay.py --list       name the tests of each kind, and run none

Each kind of fault has the tests that replay it and others like it. The exit status is 1 where one
of them fails, or where a kind names a test that is not there.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import pytest
from speak import on_any_terminal

ROOT = Path(__file__).resolve().parent.parent

KINDS = {
    "data outside a likelihood's support": {
        "data_door": "pixels_outside_the_support binarization_and_what counts_that_are_none",
    },
    "a first fit that is stopped": {"stopping": "a_first_fit_that_is_stopped"},
    "the cause that is named": {
        "estimator": "features_that_want_standardizing",
        "training_refusals": "nan_in_the_data infinite_slope divergence_names_the_term",
    },
    "own arrays and labels": {
        "data_door": "numbers_of_every_form bytes_are_pixels channels_that_come_last "
        "arrays_in_memory labels_of_every_form rows_of_zeros names_of_classes labels_are_encoded "
        "what_is_ambiguous labels_that_a_model what_takes_examples",
        "data_own": "tables_of_counts sites_that_are_none what_is_no_count",
        "asked_first": "labels_to_keep_come_in_every_form",
    },
    "trained weights out of reach": {
        "checkpoints": "weights_go_into the_weights_of_a_run the_weights_of_a_compiled "
        "another_architecture_is_named a_file_of_another_kind",
        "resume": "a_run_goes_on_on_another_device",
        "main": "what_is_no_file_of_the_package",
    },
    "integers of NumPy": {
        "integers": "integers_of_numpy shapes_may_be fit_takes_no_other evaluations_take_them "
        "an_embedding_takes_them",
    },
    "notebooks of students": {
        "student": "every_chapter_has_a_copy nothing_but_solutions",
    },
    "modes of files, an unusable cache": {
        "files": "a_new_file_follows a_file_that_is_replaced what_is_no_file",
        "pretrained": "a_model_that_cannot_be_kept a_model_in_a_folder_without",
    },
    "another Python than this one": {
        "build_machine": "the_kernel_is nbval_runs_in the_lab_offers",
        "doctor": "a_kernel_of_another_python",
    },
    "odd arguments": {
        "integers": "what_is_no_shape hidden_layers_may_be a_likelihood_is_something "
        "a_plain_function an_embedding_says",
        "evaluation": "evaluate_needs_examples",
    },
    "workers that outlive their command": {"experiments_killed": "no_worker_outlives"},
    "flipped bits": {
        "checkpoints": "every_flipped_bit_is_noticed every_flipped_bit_of_a_small_header",
        "soak": "three_flips",
    },
    "two processes, one file": {
        "one_at_a_time": "two_commands_make a_model_is_trained_once two_runs_do_not_share "
        "no_note_is_lost a_data_set_is_downloaded_once a_lock_takes_along one_who_waits_outlives",
        "build_machine": "a_second_build",
    },
    "cells of a student's notebook": {
        "exercises_record": "what_a_cell_does lines_of_ipython cells_of_other_languages "
        "no_call_of_check a_call_that_cannot an_answer_in_a_cell a_deleted_cell "
        "a_notebook_without_a_check a_file_that_is_no_notebook no_file_and_a_folder "
        "a_mark_at_the_beginning",
    },
    "two threads": {"stopping": "two_threads_train an_evaluation_waits a_run_inside_a_run"},
    "an interrupt at a bad moment": {
        "stopping": "an_interrupt_waits what_stops_a_run a_step_that_was_not",
        "resume": "killed_in_a_step killed_while_writing",
    },
    "full disks": {
        "files": "without_room_the_file_is_named",
        "terminal": "a_full_disk_is_one_line",
        "data_download": "a_disk_without_room",
    },
    "files that hold no rows": {
        "experiments": "a_file_that_is_no_row a_row_without_a_number",
        "experiments_killed": "what_is_no_row",
    },
    "found only after the work": {
        "asked_first": "",
        "files": "what_can_be_written a_name_that_is_too_long fit_asks_before",
        "main": "where_nothing_can_be_written too_many_labels",
    },
    "terminals": {"terminal": "every_command_speaks what_a_terminal_lacks a_reader_that_stops"},
    "what a file is said to be": {
        "checkpoints": "a_missing_file a_folder_is_named a_pipe_is_named "
        "a_file_that_may_not_be_read",
        "files": "a_link_stays",
        "doctor": "an_empty_data_folder",
    },
    "hostile archives": {
        "data_files": "a_gzip_bomb_is_left an_array_that_announces",
        "data_own": "an_array_that_announces an_absurd_member",
        "data_download": "both_checksums what_a_killed_download_left",
    },
    "names in figures": {"plots_own_labels": ""},
}
"""For each kind the tests, by file: words that their names begin with, or all tests of the file."""


class Watch:
    """Counts tests by kind; a plugin of pytest."""

    def __init__(self, kinds):
        self.kinds, self.names = kinds, {kind: [] for kind in kinds}
        self.tried, self.right = Counter(), Counter()

    def pytest_collection_modifyitems(self, items):
        """Keep the tests of the kinds alone."""
        for kind, files in self.kinds.items():
            for item in items:
                words = files.get(item.path.stem.removeprefix("test_"))
                if words is not None and _is_meant(item.originalname, words):
                    self.names[kind].append(item.nodeid)
        wanted = {name for names in self.names.values() for name in names}
        items[:] = [item for item in items if item.nodeid in wanted]

    def pytest_runtest_logreport(self, report):
        """Count a test that ran; one that is skipped here was not tried."""
        ended = report.when == "call" or report.outcome == "failed"
        for kind, names in self.names.items():
            if ended and not report.skipped and report.nodeid in names:
                self.tried[kind] += report.when == "call"
                self.right[kind] += report.when == "call" and report.passed
                self.right[kind] -= report.when != "call"


def _is_meant(name, words):
    begun = tuple(f"test_{word}" for word in words.split())
    return name.startswith(begun) if begun else True


def lacking(kinds, names):
    """Return the words of the kinds that no test's name begins with."""
    functions = {name.split("[")[0] for found in names.values() for name in found}
    return [
        f"tests/test_{file}.py::test_{word}"
        for files in kinds.values()
        for file, words in files.items()
        for word in words.split()
        if not any(f"test_{file}.py::test_{word}" in function for function in functions)
    ]


def main(arguments=None):
    """Run the tests of every kind and print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the tests and run none")
    options = parser.parse_args(arguments)
    files = sorted({f"tests/test_{file}.py" for kind in KINDS.values() for file in kind})
    watch = Watch(KINDS)
    chosen = ["--collect-only"] if options.list else []
    quiet = ["-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *chosen]
    pytest.main([*quiet, *(str(ROOT / file) for file in files)], plugins=[watch])
    print(f"{'kind':40}{'tests' if options.list else 'tried':>7}{'right':>7}")
    for kind, names in watch.names.items():
        right = "" if options.list else watch.right[kind]
        print(f"{kind:40}{len(names) if options.list else watch.tried[kind]:>7}{right:>7}")
    gone = lacking(KINDS, watch.names)
    for name in gone:
        print(f"wrong: there is no test {name}...")
    return 1 if gone or watch.right != watch.tried else 0


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
