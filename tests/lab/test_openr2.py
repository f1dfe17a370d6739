"""Our openr2 is the same, byte for byte, however often it is built, and it is the one in the root."""

import hashlib
import shutil
from pathlib import Path

import pytest

from image import lock, openr2, rootfs

pytestmark = pytest.mark.lab
LIBRARY = "usr/lib/x86_64-linux-gnu/libopenr2.so.3"


def test_two_builds_are_one_package(tmp_path: Path) -> None:
    (locked,) = [one for one in lock.read(rootfs.LOCK) if one.name == "libopenr2-3"]
    for name in ("first", "second"):
        work = tmp_path / name
        work.mkdir()
        shutil.copy(openr2.ensure() / openr2.ARCHIVE, work)
        openr2.build(work)
        assert hashlib.sha256((work / openr2.PACKAGE).read_bytes()).hexdigest() == locked.sha256


def test_the_root_has_it_and_debians_is_another() -> None:
    ours = (rootfs.ensure() / LIBRARY).read_bytes()
    stock = (openr2.ensure() / openr2.STOCK / "libopenr2.so.3").read_bytes()
    assert len(ours) > len(stock) // 2
    assert ours != stock
