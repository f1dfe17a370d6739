"""Our code with its compiled part, units and panel as one small layer over the root: a code change needs no new root.

Keyed by content; compiled by the root's own Python, because the box's users may not write byte code there.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from image import boxcext, cache, panel

CHECKOUT = Path(__file__).resolve().parents[1]
CODE = ("appliance_agent", "ledger", "contracts", "hal")
CODE_HOME = "usr/lib/sa800"
MODULES_HOME = "usr/lib/x86_64-linux-gnu/asterisk/modules"
LEFT_OUT = {"__pycache__", "README.md"}


def contents(compiled: Path, checkout: Path = CHECKOUT) -> Iterator[tuple[Path, str]]:
    """(file, its path on the box), sorted. `compiled` is from `boxcext`."""
    pairs = [(checkout / name, f"{CODE_HOME}/{name}") for name in CODE]
    pairs += [(compiled / boxcext.PACKAGES, CODE_HOME), (compiled / boxcext.MODULES, MODULES_HOME)]
    pairs.append((checkout / "image/files", ""))
    if site := panel.built():
        pairs.append((site, "usr/share/sa800/panel"))
    for folder, place in pairs:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.is_file() and not LEFT_OUT.intersection(relative.parts):
                yield path, str(Path(place) / relative)


def _copy(work: Path, compiled: Path) -> None:
    for source, place in contents(compiled):
        target = work / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    for folder in [work, *(path for path in work.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def _compile(work: Path, root: Path) -> None:
    """Byte code that is checked against the source's hash never: the layer's content does not change."""
    code = work / CODE_HOME
    if not code.is_dir():
        return
    script = 'mount --bind "$1" "$2/mnt" && chroot "$2" /usr/bin/python3 -m compileall -q -s /mnt -p /usr/lib/sa800 '
    script += "--invalidation-mode unchecked-hash /mnt"
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(code), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        cache.say(f"byte code: {done.stdout.strip() or done.stderr.strip()}")


def ensure(root: Path) -> Path:
    """The layer's folder for the checkout as it is now. Raises what boxcext.ensure raises."""
    compiled = boxcext.ensure()
    parts: list[bytes | str] = [str(root)]
    for source, place in contents(compiled):
        parts += [place, str(source.stat().st_mode & 0o100), source.read_bytes()]
    name = f"app-{cache.key_of(parts)}"
    target = cache.folder() / name
    with cache.locked("app"):
        if not target.is_dir():
            with cache.workshop("app") as work:
                _copy(work, compiled)
                _compile(work, root)
                cache.publish(work, name)
        cache.forget_old("app-*", keep=10, days=2, in_use=[target])
    return cache.used(target)
