"""Which SIP messages a page may send. Sans-IO: bytes in, verdict out.

Asterisk authenticates each request by digest; this stands before it, so that a page can speak for its own
extension only, even where Asterisk would ask nobody. It is stricter than RFC 3261 on purpose: whatever two parsers
could read differently (folded lines, repeated headers, escaped user names, a second message behind the first) is
refused. JsSIP and SIP.js send none of it.
"""

import re
from dataclasses import dataclass

MESSAGE_LIMIT = 65_536
HEADER_LIMIT = 128
LINE_LIMIT = 8192
ADDRESS_LIMIT = 512
"""Characters of From and To; it also bounds the work of the expression below."""
KEEPALIVES = frozenset({b"\r\n", b"\r\n\r\n"})
METHODS = frozenset(
    {"ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "REFER", "REGISTER", "UPDATE"}
)
CONTACTS_KEPT = 8

_COMPACT = {"f": "from", "t": "to", "i": "call-id", "l": "content-length", "m": "contact", "v": "via"}
_ONCE = ("from", "to", "call-id", "cseq", "content-length")
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) sips?:[!-~]{1,1024} SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 [1-6][0-9]{2} [^\x00-\x1f\x7f]{0,256}")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,63}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ADDRESS = re.compile(
    rf"(?:(?:{_QUOTED}|[A-Za-z0-9.!%*_+`'~ -]*)[ \t]*<)?sips?:([A-Za-z0-9._+*%~!-]{{1,64}})@[A-Za-z0-9.:\[\]-]+"
    r"(?:(?:;[^<>\";]*)*>)?((?:;[A-Za-z0-9._+-]+(?:=[A-Za-z0-9._+-]+)?)*)"
)
"""From and To: the user part is group 1 (compared as it is, escapes included), header parameters group 2."""
_CONTACT = re.compile(r"<sips?:([A-Za-z0-9._+-]{1,64})@")
_DIGEST_USER = re.compile(r'[ \t,]username[ \t]*=[ \t]*("[^"\\]*"|[^", \t]*)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allow:
    pass


@dataclass(frozen=True, slots=True)
class Refuse:
    why: str
    reply: bytes | None
    """A whole SIP 403 for the page, where the request could be read well enough to be answered."""


@dataclass(frozen=True, slots=True)
class _Message:
    first: str
    headers: list[tuple[str, str]]

    def one(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")


class _Unreadable(Exception):
    pass


class SipGuard:
    """One page's connection. `username` is the only SIP user it may be."""

    def __init__(self, username: str) -> None:
        self._username = username
        self._contacts: list[str] = []
        """User parts of the contacts this page registered: Asterisk calls these, so requests inside such calls
        come from them."""

    def check(self, data: bytes) -> Allow | Refuse:
        """Never raises, whatever the bytes are."""
        if data in KEEPALIVES:
            return Allow()
        try:
            message = _parse(data)
        except _Unreadable as error:
            return Refuse(str(error), None)
        if _STATUS_LINE.fullmatch(message.first):
            return Allow()
        request = _REQUEST_LINE.fullmatch(message.first)
        if request is None:
            return Refuse("neither request nor response", None)
        why = self._objection(request[1], message)
        return Refuse(why, _forbidden(request[1], message)) if why else Allow()

    def _objection(self, method: str, message: _Message) -> str:
        if method not in METHODS:
            return f"method {method} is not for pages"
        sender, target = _address(message.one("from")), _address(message.one("to"))
        if sender is None or target is None:
            return "From or To cannot be read"
        inside_a_dialog = ";tag=" in target[2].lower()
        allowed = {self._username, *self._contacts} if inside_a_dialog else {self._username}
        if sender[1] not in allowed:
            return f"From is {sender[1]}, not {self._username}"
        for name, value in message.headers:
            if name in {"authorization", "proxy-authorization"} and _digest_user(value) != self._username:
                return f"{name} is not for {self._username}"
        if method == "REGISTER":
            if target[1] != self._username:
                return f"To is {target[1]}, not {self._username}"
            self._learn(message)
        return ""

    def _learn(self, message: _Message) -> None:
        for name, value in message.headers:
            for user in _CONTACT.findall(value) if name == "contact" else ():
                # A number would be somebody's extension; pages register random names or their own number.
                if user not in self._contacts and not user.isdigit():
                    self._contacts = [*self._contacts, user][-CONTACTS_KEPT:]


def _parse(data: bytes) -> _Message:
    if len(data) > MESSAGE_LIMIT:
        raise _Unreadable("too large")
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise _Unreadable("no end of headers")
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError as error:
        raise _Unreadable("headers are not UTF-8") from error
    if len(lines) > HEADER_LIMIT:
        raise _Unreadable("too many headers")
    headers = [_header(line) for line in lines[1:]]
    names = [name for name, _value in headers]
    for name in _ONCE:
        if names.count(name) > 1 or (name not in names and name != "content-length"):
            raise _Unreadable(f"not exactly one {name}")
    message = _Message(lines[0], headers)
    length = message.one("content-length").strip(" \t") or "0"
    # One WebSocket message is one SIP message (RFC 7118); Asterisk would go on to read a second one behind it.
    if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) != len(body):
        raise _Unreadable("Content-Length is not the body's length")
    return message


def _header(line: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(line) if len(line) <= LINE_LIMIT else None
    if match is None:
        raise _Unreadable("a header line cannot be read")
    name = match[1].lower()
    return _COMPACT.get(name, name), match[2]


def _address(value: str) -> re.Match[str] | None:
    value = value.strip(" \t")
    match = _ADDRESS.fullmatch(value) if len(value) <= ADDRESS_LIMIT else None
    if match is None or ("<" in _unquoted(value)) != (">" in _unquoted(value)):
        return None
    return match


def _unquoted(value: str) -> str:
    return re.sub(_QUOTED, "", value)


def _digest_user(value: str) -> str | None:
    """The one username of a Digest header; None when there is not exactly one that reads only one way."""
    scheme, _, rest = value.strip(" \t").partition(" ")
    found = _DIGEST_USER.findall(" " + rest)
    if scheme.lower() != "digest" or len(found) != 1 or "username*" in rest.lower():
        return None
    return str(found[0]).strip('"')


def _forbidden(method: str, message: _Message) -> bytes | None:
    if method == "ACK":
        return None
    lines = ["SIP/2.0 403 Forbidden"]
    lines += [f"Via: {value}" for name, value in message.headers if name == "via"]
    to = message.one("to")
    lines += [
        f"From: {message.one('from')}",
        f"To: {to}" if ";tag=" in to.lower() else f"To: {to};tag=front",
        f"Call-ID: {message.one('call-id')}",
        f"CSeq: {message.one('cseq')}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
