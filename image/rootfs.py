"""The box's root file system: Debian with Asterisk and the box agent's Python."""

from pathlib import Path

from image import debian, openr2

HERE = Path(__file__).resolve().parent
LOCK = HERE / "locks/debian.lock"
NO_DKMS = """\
Package: sa800-dahdi-modules
Version: 1
Architecture: all
Maintainer: SA800 <sa800@localhost>
Provides: dahdi-dkms
Section: kernel
Priority: optional
Description: DAHDI kernel modules come with the SA800 image
 Takes the place of dahdi-dkms, so that no compiler is installed on a box.
"""
"""`dahdi-linux` depends on `dahdi-dkms | dahdi-source`: a compiler and kernel headers. The modules are built once, by
`image/kernel.py`."""


def recipe() -> debian.Recipe:
    hooks = sorted((HERE / "hooks").iterdir())
    return debian.Recipe(
        name="root",
        title="Root file system: Debian forky with Asterisk, about a minute",
        packages=debian.listed(HERE / "packages.list"),
        lock_file=LOCK,
        hooks=('--essential-hook="$SA800_HOOKS/accounts" "$1"', '--customize-hook="$SA800_HOOKS/finish" "$1"'),
        hooks_home=HERE / "hooks",
        key_parts=(*(path.read_bytes() for path in hooks), openr2.key()),
        stand_ins=(NO_DKMS,),
        own_packages=(openr2.package,),
    )


def ensure() -> Path:
    """The root's folder, from the cache when it is there. Raises debian.BuildError and what that names."""
    return debian.ensure(recipe()) / "root"
