"""Builds the panel (web/) away from the checkout, keyed by its sources. No network when its packages are cached."""

import os
import shutil
import subprocess
from collections import deque
from pathlib import Path

from image import cache

CHECKOUT = Path(__file__).resolve().parents[1]
WEB = CHECKOUT / "web"
LEFT_OUT = {"node_modules", "dist", ".vite", "coverage"}
LIMIT_S = 900
HOST_TRUST = "/etc/ssl/certs/ca-certificates.crt"
"""Node.js knows only its own list of authorities; the registry must be trusted as the host's other programs do."""


class PanelError(Exception):
    """npm or the build failed; the message holds their last lines."""


def _sources() -> list[Path]:
    found = []
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        found += [Path(folder, name) for name in sorted(files)]
    return found


def _key(paths: list[Path]) -> str:
    parts: list[bytes | str] = [(CHECKOUT / "image/locks/node.lock").read_bytes()]
    for path in paths:
        parts += [str(path.relative_to(WEB)), path.read_bytes()]
    return cache.key_of(parts)


def _copy(paths: list[Path], target: Path) -> None:
    for path in paths:
        place = target / path.relative_to(WEB)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _npm(folder: Path, *words: str) -> None:
    script = [CHECKOUT / "image/host/node"]
    node = subprocess.run(script, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_S).stdout.strip()
    environment = {"NODE_EXTRA_CA_CERTS": HOST_TRUST, **os.environ}
    environment |= {"PATH": f"{node}:{os.environ['PATH']}", "CI": "1", "NO_COLOR": "1", "FORCE_COLOR": "0"}
    last: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        ["npm", *words], cwd=folder, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        last.extend(line.rstrip() for line in process.stdout)
    if process.returncode:
        raise PanelError("\n".join([f"npm {' '.join(words)} failed; its last lines:", *last]))


def _workbench(paths: list[Path]) -> Path:
    """A folder with the locked npm packages installed; sources are put in beside them."""
    manifests = [path for path in paths if path.name in {"package.json", "package-lock.json"}]
    bench = cache.folder() / f"web-{_key(manifests)}"
    if not bench.is_dir():
        cache.say("Panel: installing its locked npm packages, about a minute …")
        with cache.workshop("web") as work:
            _copy(manifests, work)
            # Not `npm ci`: it refuses a lock without the binaries of other platforms, which a mirror may not carry.
            # Versions and integrity are the lock's all the same; no package runs a script of its own.
            _npm(work, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
            cache.publish(work, bench.name)
    cache.forget_old("web-*[0-9a-f]", keep=2, days=14, in_use=[bench])
    return cache.used(bench)


def _lay_out(paths: list[Path]) -> Path:
    """The workbench with these sources and no others."""
    bench = _workbench(paths)
    for old in bench.iterdir():
        if old.name != "node_modules":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    _copy(paths, bench)
    return bench


def check() -> None:
    """The panel's and the SDK's own checks: lint, types, tests. Raises PanelError."""
    with cache.locked("panel"):
        bench = _lay_out(_sources())
        cache.say("Panel: checking, about 20 seconds …")
        _npm(bench, "run", "check")


def ensure() -> Path | None:
    """The built panel's folder; None when there is no panel to build. Raises PanelError."""
    if not (WEB / "panel/package.json").is_file():
        return None
    paths = _sources()
    target = cache.folder() / f"panel-{_key(paths)}"
    with cache.locked("panel"):
        if not target.is_dir():
            bench = _lay_out(paths)
            cache.say("Panel: building, about 20 seconds …")
            _npm(bench, "run", "build")
            with cache.workshop("panel") as work:
                shutil.copytree(bench / "panel/dist", work / "dist")
                cache.publish(work, target.name)
        cache.forget_old("panel-*[0-9a-f]", keep=5, days=7, in_use=[target])
    return cache.used(target) / "dist"


def built() -> Path | None:
    """The panel as it was last built, newest sources first; never builds."""
    if not (WEB / "panel/package.json").is_file():
        return None
    exact = cache.folder() / f"panel-{_key(_sources())}"
    if exact.is_dir():
        return cache.used(exact) / "dist"
    others = sorted(cache.folder().glob("panel-*[0-9a-f]"), key=lambda path: path.stat().st_mtime)
    if others:
        cache.say("panel: its sources changed since it was built; this is the older one (`make setup` builds)")
    return others[-1] / "dist" if others else None
