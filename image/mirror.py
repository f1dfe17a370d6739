"""Where the host gets its own Debian packages from: the box's packages come from the same mirror, the same way."""

import os
import re
import subprocess
from itertools import chain
from pathlib import Path

SOURCES = Path("/etc/apt")
# Options of the host's apt that decide whether a mirror can be reached and trusted at all.
HANDED_ON = re.compile(
    r"Acquire::(https?|ftp|tor)::|Acquire::(Retries|ForceIPv[46]|Check-Valid-Until|Check-Date|By-Hash)\b"
)


class NoMirrorError(Exception):
    """The host's apt names no Debian mirror."""


def _deb822(text: str) -> list[str]:
    """URIs of the enabled `deb` stanzas, in order."""
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", "\n".join(lines), re.M))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes").strip().lower() != "no":
            found += fields.get("URIs", "").split()
    return found


def _one_line(text: str) -> list[str]:
    return re.findall(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s", text, re.M)


def _mirrors(uri: str) -> list[str]:
    """Debian's cloud images name a file of mirrors, one a line; anything else stands for itself."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    listed = Path("/" + uri.removeprefix("mirror+file:").lstrip("/"))
    lines = listed.read_text().splitlines() if listed.is_file() else []
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def find_mirror(folder: Path = SOURCES) -> str:
    """The URI of the host's Debian archive; SA800_MIRROR overrides. Raises NoMirrorError."""
    if given := os.environ.get("SA800_MIRROR"):
        return given
    uris = []
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        uris += _deb822(path.read_text())
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            uris += _one_line(path.read_text())
    for uri in chain.from_iterable(map(_mirrors, uris)):
        if re.match(r"(https?|file|copy)://?.*/debian/?$", uri):
            return uri
    raise NoMirrorError(f"no Debian archive in {folder}/sources.list*: set SA800_MIRROR to one that has forky")


def apt_options() -> list[str]:
    """The host's apt settings for the way to the mirror (proxy, certificates, clocks), as lines of apt.conf."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True, timeout=30).stdout
    return [line for line in dump.splitlines() if HANDED_ON.match(line) and not line.endswith('"";')]
