"""Our own empty package that stands in for dahdi-dkms.

`dahdi-linux` depends on `dahdi-dkms | dahdi-source`, which would put a compiler and kernel headers on every box.
The image ships kernel modules that were built once; this package says so to apt.
"""

import hashlib
import subprocess
from pathlib import Path

CONTROL = """\
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


def build(folder: Path) -> None:
    """Makes `folder` an apt repository with the one package. Raises CalledProcessError."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL)
    deb = folder / "sa800-dahdi-modules_1_all.deb"
    # A fixed time makes the same bytes, and so the same hash in the lock, on every machine.
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(deb)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOURCE_DATE_EPOCH": "1763769600"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=60)
    content = deb.read_bytes()
    index = CONTROL + f"Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
    (folder / "Packages").write_text(index + "\n")
