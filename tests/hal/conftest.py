"""The boxes that the conformance suite runs on; with SA800_REAL_DAHDI set, on the board, nothing but the real DAHDI."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hal.real_dahdi import real_dahdi
from tests.hal.worlds import WORLDS, World, world_of

REAL = "real DAHDI"
HERE = [REAL] if os.environ.get("SA800_REAL_DAHDI") else [name for name in WORLDS if name != "linux without parts"]


@pytest.fixture(params=WORLDS)
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=HERE)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """For cards and lines: there the box without parts is like the whole one."""
    if request.param == REAL:
        with real_dahdi(tmp_path) as real:
            yield real  # type: ignore[misc]  # it has what test_conformance_acts.py needs
        return
    with world_of(request.param, tmp_path) as found:
        yield found
