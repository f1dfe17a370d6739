"""Builds cext/ (C behind cffi) for the host's Python, away from the checkout. Needs gcc, no network.

Keyed by its sources, DAHDI's header, compiler and virtual environment. A variant is the same code built otherwise:
`plain` (what the tests import, programs of tests and bench), `sanitize` (the same with ASan and UBSan), `threads` (the
programs with TSan), `fuzz` (clang's libFuzzer targets), `peers` (the bench with other jitter buffers beside ours).
"""

import os
import shutil
import subprocess
from collections import deque
from pathlib import Path

from image import cache, toolchain

CHECKOUT = Path(__file__).resolve().parents[1]
CEXT = CHECKOUT / "cext"
VARIANTS = {
    "plain": ["-Dprograms=true"],
    "sanitize": ["-Dprograms=true", "-Db_sanitize=address,undefined", "-Dc_args=-fno-sanitize-recover=all"],
    # gcc writes out a short memcpy itself, and then its sanitizer of threads does not see it.
    "threads": ["-Dprograms=true", "-Db_sanitize=thread", "-Db_lundef=false", "-Dc_args=-fno-builtin"],
    "peers": ["-Dprograms=true"],
    "fuzz": [
        "-Dfuzz=true",
        "-Db_lundef=false",
        "-Dc_link_args=-fsanitize=address,undefined,fuzzer-no-link",
        "-Dc_args=-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all",
    ],
}
LIMIT_S = 600


class CextError(Exception):
    """The compiler or meson failed; the message holds their last lines."""


def _sources() -> list[Path]:
    return sorted(path for path in CEXT.rglob("*") if path.is_file() and path.suffix not in {".md", ".pyc"})


def source_parts() -> list[bytes | str]:
    """What a key is made of."""
    return [part for path in _sources() for part in (str(path.relative_to(CEXT)), path.read_bytes())]


def copy_sources(target: Path) -> None:
    shutil.copytree(CEXT, target, ignore=shutil.ignore_patterns("__pycache__"))


def _said(*command: str | Path) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_S).stdout.strip()


def _compiler(variant: str) -> str:
    return "clang" if variant == "fuzz" else "gcc"


def _run(work: Path, environment: dict[str, str], *command: str) -> None:
    last: deque[str] = deque(maxlen=60)
    with subprocess.Popen(
        command, cwd=work, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        last.extend(line.rstrip() for line in process.stdout)
    if process.returncode:
        raise CextError("\n".join([f"cext: {' '.join(command)} failed; its last lines:", *last]))


def _build(work: Path, venv: Path, dahdi: Path, variant: tuple[str, list[str]]) -> None:
    """work/site holds the Python package, work/bin the programs."""
    compiler, chosen = variant
    copy_sources(work / "source")
    shutil.copytree(dahdi, work / "include/dahdi")
    environment = dict(os.environ, PATH=f"{venv}/bin:{os.environ['PATH']}", CC=compiler)
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps"]
    settings = [
        f"--config-settings=setup-args={argument}" for argument in (*chosen, f"-Ddahdi_include={work / 'include'}")
    ]
    settings.append(f"--config-settings=build-dir={work / 'build'}")
    _run(work, environment, *pip, "--no-build-isolation", "--target", str(work / "site"), *settings, "./source")
    programs = work / "bin"
    programs.mkdir()
    for path in (work / "build").glob("[bv]*/*"):
        if path.is_file() and os.access(path, os.X_OK) and path.suffix == "":
            shutil.copy2(path, programs)
    for left in ("source", "include", "build"):
        shutil.rmtree(work / left)


def ensure(variant: str = "plain") -> Path:
    """A folder with `site/` (put it on sys.path: `import voicecore`) and `bin/`. Raises CextError."""
    venv, dahdi = Path(_said(CHECKOUT / "image/host/venv")), toolchain.dahdi_headers()
    settings = list(VARIANTS[variant])
    if variant == "peers":
        settings.append(f"-Dpeers={_said(CHECKOUT / 'image/host/peers')}")
    parts: list[bytes | str] = [variant, *settings, venv.name, _said(_compiler(variant), "--version")]
    parts += [(dahdi / "user.h").read_bytes(), *source_parts()]
    target = cache.folder() / f"cext-{variant}-{cache.key_of(parts)}"
    if target.is_dir():
        return cache.used(target)
    with cache.locked("cext"):
        if not target.is_dir():
            cache.say(f"cext: compiling ({variant}), a few seconds …")
            with cache.workshop("cext") as work:
                _build(work, venv, dahdi, (_compiler(variant), settings))
                cache.publish(work, target.name)
        cache.forget_old(f"cext-{variant}-*[0-9a-f]", keep=3, days=7, in_use=[target])
    return cache.used(target)
