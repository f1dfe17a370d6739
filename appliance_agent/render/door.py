"""The one door through which values reach Asterisk's files.

Ids and numbers of ours stand as they are (`word`); values of a few wider alphabets are checked (`plain`); text
of people is percent-encoded and decoded by Asterisk at run time (`decoded`). Anything else raises `UnsafeText`:
config.text has closed alphabets, so that is a bug of ours, never an administrator's mistake.
"""

import re
from urllib.parse import quote

_WORD = re.compile(r"[A-Za-z0-9_.+*#-]{1,253}")
_PLAIN = re.compile(r"[A-Za-z0-9_.+!@%^*()=:/,|<>$ \"{}&#~\[\]?-]*")
_SECTION = re.compile(r"[A-Za-z0-9_./-]{1,253}")
_PATH = re.compile(r"(/[A-Za-z0-9_.+ -]+)+")


class UnsafeText(ValueError):
    """A value outside its closed alphabet was about to reach a file of Asterisk."""


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UnsafeText(f"{value!r} cannot stand in a file of Asterisk as a {what}")
    return value


def word(value: str) -> str:
    """An id, number, host or digit of ours, as it is."""
    return _checked(_WORD, value, "word")


def path(value: object) -> str:
    """An absolute path of the box."""
    return _checked(_PATH, str(value), "path")


def section(value: str) -> str:
    """The name between the brackets of a section: an id of ours or an absolute path."""
    return _checked(_SECTION, value, "section name")


def plain(value: str) -> str:
    """The right side of `key = value`: printable ASCII of one line that no parser of Asterisk takes for a comment,
    an escape or a new section. `;` starts a comment and a backslash escapes, so neither is let through."""
    return _checked(_PLAIN, value, "value")


def encoded(text: str) -> str:
    """Text of people as RFC 3986 percent-encoded ASCII: letters, digits, `_.-~` and `%XX` only."""
    return quote(text, safe="")


def decoded(text: str) -> str:
    """A dialplan expression that yields `text` at run time. Asterisk does not expand the result again."""
    return f"${{URIDECODE({encoded(text)})}}"
