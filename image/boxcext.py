"""Builds cext/ for the box: the same distribution as `image/cext.py` for the host, by the box's own Debian and Python,
and Asterisk's module by the headers of its Asterisk.

Keyed by its sources and the toolchain's tree; the result is laid over the root by `image/applayer.py`.
"""

import shutil
import subprocess
import tomllib
from pathlib import Path

from image import cache, cext, toolchain

PACKAGES, MODULES = "site", "modules"
SCRIPT = """\
mount --bind "$1" "$2/mnt"
mount -t tmpfs tmpfs "$2/tmp"
exec chroot "$2" /usr/bin/env -i PATH=/usr/bin PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 sh -euc '
  meson setup "$@" --prefix=/ -Dasterisk=true -Dpython.purelibdir=/site -Dpython.platlibdir=/site /tmp/build /mnt/source
  meson compile -C /tmp/build
  meson install -C /tmp/build --no-rebuild --strip --destdir=/mnt/out
' sh "${@:3}"
"""


def _settings() -> list[str]:
    """As the host's build has them from meson-python."""
    project = tomllib.loads((cext.CEXT / "pyproject.toml").read_text())
    return [str(word) for word in project["tool"]["meson-python"]["args"]["setup"]]


def _build(work: Path, tree: Path) -> None:
    cext.copy_sources(work / "source")
    (work / "out").mkdir()
    command = ["unshare", "--mount", "bash", "-euc", SCRIPT, "bash", str(work), str(tree), *_settings()]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=cext.LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise cext.CextError("\n".join(["cext for the box failed; its last lines:", *done.stdout.splitlines()[-60:]]))
    shutil.rmtree(work / "source")
    for part in (PACKAGES, MODULES):
        (work / "out" / part).rename(work / part)
    shutil.rmtree(work / "out")


def ensure() -> Path:
    """A folder with PACKAGES (Python's: `voicecore`) and MODULES (Asterisk's: `func_sa_jitter.so`).

    Raises CextError, and what the toolchain raises.
    """
    tree = toolchain.ensure()
    name = f"boxcext-{cache.key_of([tree.parent.name, SCRIPT, *cext.source_parts()])}"
    target = cache.folder() / name
    with cache.locked("boxcext"):
        if not target.is_dir():
            cache.say("cext: compiling for the box, a few seconds …")
            with cache.workshop("boxcext") as work:
                _build(work, tree)
                cache.publish(work, name)
        cache.forget_old("boxcext-*[0-9a-f]", keep=3, days=7, in_use=[target])
    return cache.used(target)
