"""Empty packages of our own that stand in for what a tree must not hold."""

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

# A fixed time makes the same bytes, and so the same hash in the lock, on every machine.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOURCE_DATE_EPOCH": "1763769600"}


def name_of(control: str) -> str:
    return control.partition("\n")[0].removeprefix("Package: ")


def build(folder: Path, controls: Iterable[str]) -> None:
    """Makes `folder` an apt repository of one empty package a control text. Raises CalledProcessError."""
    folder.mkdir()
    stanzas = []
    for control in controls:
        name = name_of(control)
        tree = folder / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(control)
        deb = folder / f"{name}_1_all.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(deb)]
        subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, timeout=60)
        content = deb.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        stanzas.append(control + f"Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("\n".join(stanzas) + "\n")
