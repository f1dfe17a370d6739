"""How a box joins headquarters: a code that HQ's operator made once → the box's certificate.

The technician types the code. It is `<secret>-<pin>`: 16 letters of Crockford's base 32 (80 bits, used once, an hour
long), and 16 that pin HQ's authority, so that the box needs no other trust. `GET /enrol/v1/authority` (of anybody, over
TLS that proves nothing yet) gives that authority, PEM; the box goes on only when it has the pin, and says the secret by
`POST /enrol/v1/enrol` over TLS that this authority vouches for, without client certificate: nobody in between hears it.
HQ's server certificate is not asked for a name: the authority signs no other server than HQ.
"""

import base64
import hashlib
from dataclasses import dataclass

AUTHORITY_PATH = "/enrol/v1/authority"
ENROL_PATH = "/enrol/v1/enrol"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SECRET_LETTERS = 16
PIN_LETTERS = 16


class BadCode(ValueError):
    """Not a code at all: mistyped."""


@dataclass(frozen=True, slots=True)
class Code:
    secret: str
    pin: str


@dataclass(frozen=True, slots=True)
class Request:
    """As JSON. `csr`: PEM, its common name is the box's id; the key stays on the box. `hardware`: serial number of the
    mainboard, for people."""

    secret: str
    box_id: str
    csr: str
    edition: str
    hardware: str


@dataclass(frozen=True, slots=True)
class Answer:
    """As JSON. `certificate`: the box's, PEM; `authority`: HQ's, PEM. `branch`: what HQ calls this site."""

    certificate: str
    authority: str
    branch: str


def parse(text: str) -> Code:
    """Takes lower case, blanks and dashes anywhere, and what Crockford lets be mistaken: O for 0, I and L for 1."""
    plain = text.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    if len(plain) != SECRET_LETTERS + PIN_LETTERS or not set(plain) <= set(ALPHABET):
        raise BadCode(f"an enrolment code has {SECRET_LETTERS + PIN_LETTERS} letters and digits, in groups of four")
    return Code(plain[:SECRET_LETTERS], plain[SECRET_LETTERS:])


def show(code: Code) -> str:
    """In groups of four, for eyes and telephones."""
    plain = code.secret + code.pin
    return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def pin_of(authority_der: bytes) -> str:
    """The first 80 bits of SHA-256 of HQ's authority (its certificate, DER)."""
    standard = base64.b32encode(hashlib.sha256(authority_der).digest()[:10]).decode()
    return standard.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET))
