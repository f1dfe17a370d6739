"""An apt repository of our own packages: empty ones that stand in for what a tree must not hold, and built ones."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

# A fixed time makes the same bytes, and so the same hash in the lock, on every machine.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOURCE_DATE_EPOCH": "1763769600"}


def name_of(control: str) -> str:
    return control.partition("\n")[0].removeprefix("Package: ")


def _empty(folder: Path, controls: Iterable[str]) -> None:
    for control in controls:
        name = name_of(control)
        tree = folder / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(control)
        deb = folder / f"{name}_1_all.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(deb)]
        subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, timeout=60)


def build(folder: Path, controls: Iterable[str], built: Iterable[Path] = ()) -> None:
    """Makes `folder` an apt repository of an empty package a control text and of `built`. Raises CalledProcessError."""
    folder.mkdir()
    _empty(folder, controls)
    for deb in built:
        shutil.copy(deb, folder)
    stanzas = []
    for deb in sorted(folder.glob("*.deb")):
        command = ["dpkg-deb", "--field", str(deb)]
        control = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        content = deb.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        stanzas.append(control + f"Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("".join(f"{stanza}\n" for stanza in stanzas))
