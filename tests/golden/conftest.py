"""The root file system that the image ships (built on first use), and a box with people around it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from image import rootfs
from tests.golden.people import Scene, open_scene


@pytest.fixture(scope="session")
def root() -> Path:
    return rootfs.ensure()


@pytest.fixture
async def scene(root: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        yield await open_scene(stack, root, tmp_path)
