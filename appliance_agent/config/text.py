"""Strings that people may type, and the closed alphabets of everything that reaches Asterisk."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _printable(value: str) -> str:
    for char in value:
        if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
            raise ValueError(f"contains the unprintable character U+{ord(char):04X}; remove it")
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_printable)]
"""A label for people. Any script. It is kept in the database and never written raw to a file of Asterisk."""

SpokenText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(_printable)
]
"""Text for speech synthesis; passed to the engine by standard input, never on a command line."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""An id of ours: the only kind of name that stands in files of Asterisk (queue, menu, trunk)."""

ExtensionNumber = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,7}$")]
DialledNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,20}$")]
"""A public number as the exchange sends it (E.164 or national significant form)."""

FxoName = Annotated[str, StringConstraints(pattern=r"^fxo-[1-9][0-9]{0,2}$")]
FxsName = Annotated[str, StringConstraints(pattern=r"^fxs-[1-9][0-9]{0,2}$")]
E1Name = Annotated[str, StringConstraints(pattern=r"^e1-[1-9][0-9]{0,2}$")]
OutsideLineName = Annotated[str, StringConstraints(pattern=r"^(fxo|e1)-[1-9][0-9]{0,2}$")]
"""Lines by the names that the hardware layer gives them (ADR 0010): an outside line is an FXO port or an E1."""

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")]
MenuDigit = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]
PromptId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{12,64}$")]
"""Letters and digits only: it stands in pjsip.conf as it is. Made by us; pasted ones must fit."""
TrunkUser = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]{1,64}$")]
TrunkSecret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+!@%^*()=:/-]{1,64}$")]

_HOST = re.compile(
    r"^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)


def _host(value: str) -> str:
    if not _HOST.match(value):
        raise ValueError("must be a host name or an IPv4 address, such as sip.example.net or 192.0.2.1")
    return value


Host = Annotated[str, AfterValidator(_host)]
