"""What QEMU boots: links to kernel and disk from the cache, and an initramfs with what is laid over the disk: our code
(so that a change needs no new disk) and the tests' own files.

python3 parts.py FOLDER — the standard library only; `python3 -m image`, as a command, builds kernel, disk and layer.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import breaks

HERE = Path(__file__).resolve().parent
FIRST_MODULES = ("virtio_blk", "ext4", "crc16", "mbcache", "jbd2")
"""What it takes to mount the disk; everything else is loaded from there."""
UNWANTED = shutil.ignore_patterns("__pycache__")
PYTEST = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py", "pytest_asyncio*")
OVERLAYS = ("shared", "kernel", "product")
"""Folders of guest/; guest/init lays the first over the disk, and the one that is named like the boot."""


def _image(what: str) -> Path:
    command = [sys.executable, "-m", "image", what]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def _copy_modules(kernel: Path, tree: Path) -> None:
    (modules,) = (kernel / "modules/usr/lib/modules").iterdir()
    home = tree / "lib/modules" / modules.name
    for name in FIRST_MODULES:
        (found,) = modules.rglob(f"{name}.ko*")
        place = home / found.relative_to(modules)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, place)
    shutil.copy(modules / "modules.dep", home)


def _copy_suite(target: Path) -> None:
    """The tests that run on the board itself (test_hal.py), and the host's pytest: Python without a compiled part."""
    found = subprocess.run([HERE.parent / "image/host/venv"], stdout=subprocess.PIPE, text=True, check=True)
    (site,) = Path(found.stdout.strip()).glob("lib/python*/site-packages")
    (target / "site").mkdir(parents=True)
    for path in (path for name in PYTEST for path in site.glob(name)):
        if path.is_dir():
            shutil.copytree(path, target / "site" / path.name, ignore=UNWANTED)
        else:
            shutil.copy(path, target / "site")
    shutil.copytree(HERE.parent / "tests/hal", target / "tests/hal", ignore=UNWANTED)
    (target / "tests/__init__.py").touch()  # or pytest would take tests/hal for our package hal


def _make_initrd(kernel: Path, work: Path) -> None:
    tree = work / "tree"
    for name in ("bin", "dev", "proc", "sys", "disk"):
        (tree / name).mkdir(parents=True)
    shutil.copy(kernel / "busybox", tree / "bin")
    shutil.copy(HERE / "guest/init", tree)
    for overlay in OVERLAYS:
        shutil.copytree(HERE / "guest" / overlay, tree / "over" / overlay)
    shutil.copytree(_image("layer"), tree / "over/layer")
    shutil.copytree(HERE / "linesim", tree / "over/shared/usr/lib/board/linesim", ignore=UNWANTED)
    shutil.copytree(_image("openr2") / "stock", tree / "over/kernel/usr/lib/openr2-stock", symlinks=True)
    _copy_suite(tree / "over/kernel/usr/lib/suite")
    _copy_modules(kernel, tree)
    for broken in os.environ.get("BOARD_BREAKS", "").split():
        breaks.apply(tree / "over", broken)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with (work / "initrd").open("wb") as file:
        command = ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"]
        subprocess.run(command, cwd=tree, input=names.encode(), stdout=file, check=True)
    shutil.rmtree(tree)


def main(work: Path) -> None:
    kernel, disk = _image("kernel"), _image("disk")
    (work / "vmlinuz").symlink_to(kernel / "vmlinuz")
    (work / "root.ext4").symlink_to(disk)
    _make_initrd(kernel, work)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
