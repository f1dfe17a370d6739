"""The kernel that boxes and the emulated board boot: Debian's, with DAHDI's modules, patched, built for it once.

Answers a folder with `vmlinuz`, `modules/usr/lib/modules/<version>/` (a layer for a root) and `busybox` (static, for
first programs after the kernel). The compiler stays behind in the tree that built them.
"""

import shutil
from pathlib import Path

from image import debian

HERE = Path(__file__).resolve().parent
LOCK = HERE / "locks/kernel.lock"
PACKAGES = ("linux-image-amd64", "linux-headers-amd64", "dahdi-dkms", "busybox-static", "xz-utils")
PATCHES = tuple(sorted((HERE / "patches").glob("dahdi-*.patch")))
"""docs/adr/0021-a-mended-line-of-dahdi.md"""
DKMS_CONF = HERE / "dkms-dahdi.conf"
NO_INITRAMFS = """\
Package: sa800-no-initramfs
Version: 1
Architecture: all
Maintainer: SA800 <sa800@localhost>
Provides: linux-initramfs-tool
Section: kernel
Priority: optional
Description: the tree that builds kernel modules never boots
 Takes the place of dracut, which would make an initramfs that nobody uses.
"""


def _take_out(work: Path) -> None:
    """Keeps the kernel, its modules and busybox of the built tree."""
    root = work / "root"
    (home,) = (root / "usr/lib/modules").iterdir()
    if not list(home.rglob("dahdi.ko*")):
        logs = "\n".join(path.read_text()[-2000:] for path in root.glob("var/lib/dkms/dahdi/*/**/make.log"))
        raise debian.BuildError(f"dkms built no dahdi module for {home.name}; its last lines:\n{logs}")
    for name in ("build", "source", "System.map"):  # links into the compiler's tree; 10 MB that no box reads
        (home / name).unlink(missing_ok=True)
    (home / "vmlinuz").rename(work / "vmlinuz")
    (work / "modules/usr/lib/modules").mkdir(parents=True)
    home.rename(work / "modules/usr/lib/modules" / home.name)
    (root / "usr/bin/busybox").rename(work / "busybox")
    shutil.rmtree(root)


def recipe() -> debian.Recipe:
    hook = HERE / "kernel-finish"
    return debian.Recipe(
        name="kernel",
        title="Kernel: Debian's with DAHDI's modules, about three minutes",
        packages=PACKAGES,
        lock_file=LOCK,
        hooks=(
            '--setup-hook=mkdir -p "$1/etc/dkms" && cp "$SA800_HOOKS/dkms-dahdi.conf" "$1/etc/dkms/dahdi.conf"'
            ' && cp "$SA800_HOOKS"/patches/dahdi-*.patch "$1/etc/dkms/"',
            '--customize-hook="$SA800_HOOKS/kernel-finish" "$1"',
        ),
        hooks_home=HERE,
        key_parts=(hook.read_bytes(), DKMS_CONF.read_bytes(), *(patch.read_bytes() for patch in PATCHES)),
        stand_ins=(NO_INITRAMFS,),
        refine=_take_out,
    )


def ensure() -> Path:
    """The kernel's folder, from the cache when it is there. Raises debian.BuildError and what that names."""
    return debian.ensure(recipe())
