"""HTTPS for addresses other than loopback: a certificate of the box's own, made once by the openssl program.

Browsers warn until an administrator installs a certificate that they trust, or trusts this one. Replace both files
to use another.
"""

import os
import ssl
import subprocess
from pathlib import Path

from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.paths import BoxPaths

DAYS = 3650
MAKE_LIMIT_S = 30.0


def server_context(paths: BoxPaths, address: str) -> ssl.SSLContext:
    """Blocking. Raises Fault when there is neither a usable certificate nor a way to make one."""
    folder = paths.data / "tls"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (certificate.exists() and key.exists()):
        _make(folder, certificate, key, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Fault(
            FaultKind.INTERNAL, "front.certificate", f"{certificate}: cannot be used: {error}",
            hint="Remove both files in that folder; the front makes new ones at its next start.",
        ) from error  # fmt: skip
    return context


def _make(folder: Path, certificate: Path, key: Path, address: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    names = "DNS:sa800.local" if address == "0.0.0.0" else f"IP:{address},DNS:sa800.local"
    new_key, new_certificate = key.with_suffix(".part"), certificate.with_suffix(".part")
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", str(DAYS), "-subj", "/CN=sa800.local", "-addext", f"subjectAltName={names}",
        "-keyout", str(new_key), "-out", str(new_certificate),
    ]  # fmt: skip
    old_mask = os.umask(0o077)
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _cannot_make(str(error)) from error
    finally:
        os.umask(old_mask)
    if made.returncode:
        raise _cannot_make(made.stderr.strip()[-300:])
    new_key.replace(key)
    new_certificate.replace(certificate)


def _cannot_make(why: str) -> Fault:
    return Fault(
        FaultKind.INTERNAL, "front.certificate", f"no certificate could be made: {why}",
        hint="Put certificate.pem and key.pem into the box's tls folder, or listen on a loopback address.",
    )  # fmt: skip
