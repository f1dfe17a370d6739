"""How many boards at a time (pytest-xdist: each has its own process and takes whole files), and which files first."""

import os

import pytest
from labgrid.config import Config

MOST = 4
"""Boards at a time: each takes a processor, and 1.3 GB of memory."""
FIRST = (
    # The product's other files begin with what this one boots; the four after it keep another processor busy meanwhile.
    "test_product.py",
    "test_flaps.py", "test_twelve_spans.py", "test_hal.py", "test_relay.py",
    # Then the longest first, or the last one would run alone at the end.
    "test_full_e1.py", "test_line_tests.py", "test_product_lines.py", "test_product_faults.py",
    "test_product_changes.py", "test_hangup.py", "test_product_cards.py", "test_product_moved.py",
    "test_product_restarts.py", "test_product_edition.py",
)  # fmt: skip
"""The order in which files are begun; the others, which are short, come afterwards."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return workers(config.args)


def workers(asked: list[str]) -> int:
    """0 is one board in this very process: where one file is asked for, or where the board is a bench."""
    files = {test.partition("::")[0] for test in asked}
    several = len(files) > 1 or not files.pop().endswith(".py")
    boards = min(MOST, len(os.sched_getaffinity(0)))
    return boards if several and boards > 1 and _is_emulated() else 0


def _is_emulated() -> bool:
    return "QEMUDriver" in Config(os.environ["LG_ENV"]).get_targets()["main"]["drivers"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))
