"""The root file system that the image ships (built on first use)."""

from pathlib import Path

import pytest

from image import rootfs


@pytest.fixture(scope="session")
def root() -> Path:
    return rootfs.ensure()


from tests.lab.fixtures import *  # noqa: E402, F403
