"""The tree that compiles for the box: Debian's gcc, the headers of its Python and its Asterisk, meson, DAHDI's header.

It never runs but for that, and nothing of it reaches a box. The host takes `dahdi/user.h` from here, too: it has to be
that of the DAHDI in the image.
"""

from pathlib import Path

from image import debian

HERE = Path(__file__).resolve().parent
LOCK = HERE / "locks/toolchain.lock"
PACKAGES = ("gcc", "libc6-dev", "libpython3-dev", "python3-cffi", "meson", "patch", "dahdi-source", "asterisk-dev")
NO_MODULE_ASSISTANT = """\
Package: sa800-no-module-assistant
Version: 1
Architecture: all
Maintainer: SA800 <sa800@localhost>
Provides: debhelper (= 99), module-assistant (= 99)
Section: kernel
Priority: optional
Description: only the header of dahdi-source is wanted
 Takes the place of the tools that would compile the kernel modules in it.
"""


def recipe() -> debian.Recipe:
    hook = HERE / "kernel-finish"
    return debian.Recipe(
        name="toolchain",
        title="Toolchain: what compiles for the box, about half a minute",
        packages=PACKAGES,
        lock_file=LOCK,
        hooks=('--customize-hook="$SA800_HOOKS/kernel-finish" "$1"',),
        hooks_home=HERE,
        key_parts=(hook.read_bytes(),),
        stand_ins=(NO_MODULE_ASSISTANT,),
    )


def ensure() -> Path:
    """The tree's root, from the cache when it is there. Raises debian.BuildError and what that names."""
    return debian.ensure(recipe()) / "root"


def dahdi_headers() -> Path:
    """The folder of dahdi/user.h, with nothing else beside it that the host's compiler could take for its own."""
    return ensure() / "usr/include/dahdi"
