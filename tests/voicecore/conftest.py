"""`import voicecore` means the build of this checkout's cext/; SA800_CEXT chooses the variant (image/cext.py)."""

import os
import sys
from pathlib import Path

import pytest

from image import cext

# `make sanitize` loads the address sanitizer into Python; programs that tests start are not to be judged.
os.environ.pop("LD_PRELOAD", None)
VARIANT = os.environ.get("SA800_CEXT", "plain")
BUILT = cext.ensure(VARIANT)
sys.path.insert(0, str(BUILT / "site"))


@pytest.fixture
def programs() -> Path:
    """The folder of the build's programs."""
    return BUILT / "bin"


@pytest.fixture
def sanitized() -> bool:
    return VARIANT == "sanitize"
