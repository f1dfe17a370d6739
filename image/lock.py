"""The lock: every package of the root with version, architecture and the hash of its .deb."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HEADER = "# name version architecture sha256-of-the-.deb, for every package of the root; `make lock` rewrites it\n"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    name: str
    version: str
    arch: str
    sha256: str


def parse(text: str) -> tuple[Package, ...]:
    """Raises ValueError with the line that is not `name version arch sha256`."""
    packages = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        if len(words) != 4 or len(words[3]) != 64:
            raise ValueError(f"lock line {number}: expected 'name version architecture sha256', found {line!r}")
        packages.append(Package(*words))
    return tuple(sorted(packages))


def read(path: Path) -> tuple[Package, ...]:
    return parse(path.read_text()) if path.is_file() else ()


def text_of(packages: Iterable[Package]) -> str:
    return HEADER + "".join(f"{p.name} {p.version} {p.arch} {p.sha256}\n" for p in sorted(packages))


def pins(packages: Iterable[Package]) -> str:
    """apt preferences: each locked version wins over any other while the mirror still has it."""
    stanzas = [f"Package: {p.name}\nPin: version {p.version}\nPin-Priority: 1001\n" for p in packages]
    return "\n".join(stanzas)


def difference(locked: Iterable[Package], actual: Iterable[Package]) -> list[str]:
    """One line a package that is not as locked; empty when the root is what the lock says."""
    old = {(p.name, p.arch): p for p in locked}
    new = {(p.name, p.arch): p for p in actual}
    lines = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if before is None and after is not None:
            lines.append(f"+ {after.name} {after.version}")
        elif after is None and before is not None:
            lines.append(f"- {before.name} {before.version}")
        elif before is not None and after is not None:
            same = before.version == after.version
            lines.append(f"~ {after.name} {before.version} → {'other content' if same else after.version}")
    return lines


def read_installed(status: str, index: str) -> tuple[Package, ...]:
    """dpkg's list (name version arch a line) joined with the Packages stanzas apt checked the .debs against.

    Raises ValueError when an installed version has no stanza: then nobody can say what its .deb was.
    """
    hashes = {}
    for stanza in index.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        if "SHA256" in fields:
            hashes[fields["Package"], fields["Version"], fields["Architecture"]] = fields["SHA256"]
    packages = []
    for line in status.splitlines():
        name, version, arch = line.split()
        if (name, version, arch) not in hashes:
            raise ValueError(f"{name} {version} ({arch}) is installed but not in the mirror's Packages index")
        packages.append(Package(name, version, arch, hashes[name, version, arch]))
    return tuple(sorted(packages))
