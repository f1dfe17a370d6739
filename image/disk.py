"""A disk that the emulated board boots from: the box's root with the kernel's modules, as one ext4 file system.

No loop device: `mke2fs -d` fills the file system from the layers, which are laid over each other as a box lays them.
"""

import subprocess
from pathlib import Path

from image import cache, debian

FREE_MIB = 1024
"""Room for what a test writes; the file is sparse, and the emulator keeps writes apart from it."""
BUILD_LIMIT_S = 600
SCRIPT = """\
mount -t overlay overlay -o "lowerdir=$1" merged
used=$(du --apparent-size --block-size=1M -sx merged | cut -f1)
mke2fs -q -t ext4 -O ^has_journal -m 0 -L sa800 -d merged root.ext4 "$((used * 5 / 4 + $2))M"
"""


def _fill(work: Path, layers: tuple[Path, ...]) -> None:
    (work / "merged").mkdir()
    names = [f"layer{number}" for number in range(len(layers))]  # overlayfs reads "," and ":" in a path as its own
    for name, layer in zip(names, layers, strict=True):
        (work / name).symlink_to(layer)
    command = ["unshare", "--mount", "sh", "-euc", SCRIPT, "sh", ":".join(reversed(names)), str(FREE_MIB)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
    if done.returncode:
        raise debian.BuildError(f"the disk could not be made: {done.stderr.strip()}")
    (work / "merged").rmdir()
    for name in names:
        (work / name).unlink()


def ensure(layers: tuple[Path, ...]) -> Path:
    """The disk's file. `layers` come from the cache (their names tell their content), the lowest first."""
    name = f"disk-{cache.key_of([*map(str, layers), SCRIPT, str(FREE_MIB)])}"
    target = cache.folder() / name
    with cache.locked("disk"):
        if not target.is_dir():
            cache.say("Disk of the emulated board, about half a minute …")
            with cache.workshop("disk") as work:
                _fill(work, layers)
                cache.publish(work, name)
        cache.forget_old("disk-*[0-9a-f]", keep=2, days=7, in_use=[target])
    return cache.used(target) / "root.ext4"
