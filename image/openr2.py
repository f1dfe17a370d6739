"""Debian's openr2 with our patches, as a package of ours: R2 trunks in China tell the caller's number, and a
call goes out over the line of the last one right after it (docs/adr/0014).

Keyed by source, patches, build and toolchain; the root's lock holds the hash of the package that must come out.
"""

import shutil
import subprocess
from pathlib import Path

from image import cache, debian, localdeb, lock, mirror, toolchain

HERE = Path(__file__).resolve().parent
SOURCE = "pool/main/o/openr2/openr2_1.3.3.orig.tar.gz"
SOURCE_SHA256 = "a498d4035677d581b64442595b1d246ec2e5a647ee3c090e83a3b22b367fc9cb"
PARTS = {
    "ani.patch": HERE / "patches/openr2-cn-ani.patch", "again.patch": HERE / "patches/openr2-call-after-call.patch",
    "build": HERE / "openr2-build",
}  # fmt: skip
ARCHIVE = "source.tar.gz"
PACKAGE = "libopenr2-3.deb"
STOCK = "stock"
"""Folder with the library as Debian has it, for the tests' control run."""
LIMIT_S = 300
SCRIPT = """\
mount --bind "$1" "$2/mnt"
mount -t tmpfs tmpfs "$2/tmp"
exec chroot "$2" sh -euc 'cd /mnt && exec ./build'
"""


def key() -> str:
    parts = [path.read_bytes() for path in PARTS.values()]
    return cache.key_of([SOURCE_SHA256, SCRIPT, *parts, toolchain.recipe().key(lock.read(toolchain.LOCK))])


def _fetch(target: Path) -> None:
    """By the host's apt, which knows the way to the mirror and checks the hash. Raises debian.BuildError."""
    url = f"{mirror.find_mirror().rstrip('/')}/{SOURCE}"
    command = ["/usr/lib/apt/apt-helper", "download-file", url, str(target), f"SHA256:{SOURCE_SHA256}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise debian.BuildError(f"{url}: not fetched; SA800_MIRROR names another mirror.\n{done.stderr.strip()}")


def build(work: Path) -> None:
    """From `work`/ARCHIVE makes the package and the stock library beside it. Raises debian.BuildError."""
    for name, path in PARTS.items():
        shutil.copy(path, work / name)
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-euc", SCRIPT, "sh", str(work), str(toolchain.ensure())],
        env=localdeb.ENVIRONMENT | {"LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise debian.BuildError("\n".join(["openr2 failed; its last lines:", *done.stdout.splitlines()[-40:]]))
    for name in PARTS:
        (work / name).unlink()


def ensure() -> Path:
    """A folder with ARCHIVE, PACKAGE and STOCK, from the cache when it is there.

    Raises debian.BuildError, mirror.NoMirrorError.
    """
    target = cache.folder() / f"openr2-{key()}"
    with cache.locked("openr2"):
        if not target.is_dir():
            toolchain.ensure()
            cache.say("openr2 with the caller's number for China, a few seconds …")
            with cache.workshop("openr2") as work:
                _fetch(work / ARCHIVE)
                build(work)
                cache.publish(work, target.name)
        cache.forget_old("openr2-*[0-9a-f]", keep=2, days=30, in_use=[target])
    return cache.used(target)


def package() -> Path:
    return ensure() / PACKAGE
