"""Who the box is to headquarters, on disk: its key and certificate, HQ's authority. Blocking."""

import ssl
import subprocess
from pathlib import Path

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import write_atomically

FILES = ("key.pem", "certificate.pem", "authority.pem")
READ_LIMIT_S = 10.0


def anybody() -> ssl.SSLContext:
    """Proves nothing: only to fetch the authority, which is then compared with the code's pin."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def vouched(authority: str) -> ssl.SSLContext:
    """Servers that this authority vouches for, and no others. It signs no other server than HQ: no name is compared."""
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    return context


def mutual(folder: Path) -> ssl.SSLContext:
    """HQ on the other side, and the box's certificate on this one. Raises Fault when a file is missing or wrong."""
    key, certificate, authority = (folder / name for name in FILES)
    try:
        context = vouched(authority.read_text("ascii"))
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise Fault(
            FaultKind.INTERNAL, "hq.certificate", f"the box's certificate for headquarters cannot be used: {error}",
            hint="Leave headquarters and join it again with a new code.",
        ) from error  # fmt: skip
    return context


def keep(folder: Path, key: bytes, certificate: str, authority: str) -> None:
    """Replaces what was there. The three fit together: `mutual` of a `folder` beside it was loaded before."""
    for name, content in zip(FILES, (key, certificate.encode(), authority.encode()), strict=True):
        write_atomically(folder / name, content, mode=0o600)


def forget(folder: Path) -> None:
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def ends(folder: Path) -> str:
    """When the certificate ends, as OpenSSL writes it ("Nov 23 22:00:00 2028 GMT"); "" when that cannot be read."""
    command = ["openssl", "x509", "-noout", "-enddate", "-in", str(folder / "certificate.pem")]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=READ_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip().removeprefix("notAfter=") if said.returncode == 0 else ""
