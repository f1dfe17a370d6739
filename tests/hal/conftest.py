"""The boxes that the conformance suite runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hal.worlds import WORLDS, World, world_of


@pytest.fixture(params=WORLDS)
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=[name for name in WORLDS if name != "linux without parts"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """For cards and lines: there the box without parts is like the whole one."""
    with world_of(request.param, tmp_path) as found:
        yield found
