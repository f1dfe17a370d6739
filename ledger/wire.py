"""CallRecord ↔ JSON object, as it travels to headquarters and is kept there. Pure.

A reader takes what a box one version older or newer wrote: members it does not know are left out, members that are
missing get their empty value, but for those that make a record what it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, get_type_hints

from ledger.model import CallRecord, Direction, Leg, QueueVisit, Result, TimelineItem

VERSION = 1
MOST_ID = 128
"""Letters of a call's id."""
LAST_US = 4_102_444_800_000_000
"""2100-01-01. No call begins later, whatever the box's clock says; nor before 1970."""
_MOST_INT = 2**63
_NEEDED = frozenset({"call_id", "direction", "result", "started_us", "ended_us"})


class WireError(ValueError):
    """Says which member is wrong, and how."""


def to_wire(record: CallRecord) -> dict[str, Any]:
    """What `json.dumps` takes. Its texts are storable (`storable`)."""
    whole: dict[str, Any] = _cleaned(asdict(record))
    return {"v": VERSION, **whole}


def from_wire(body: Mapping[str, Any]) -> CallRecord:
    """Raises WireError."""
    version = body.get("v", 0)
    if type(version) is not int or not VERSION - 1 <= version <= VERSION + 1:
        raise WireError(f"v: a record of version {version!r}; this side reads {VERSION - 1} to {VERSION + 1}")
    record: CallRecord = _read(CallRecord, body)
    if not 0 < len(record.call_id) <= MOST_ID:
        raise WireError(f"call_id: 1 to {MOST_ID} letters, not {len(record.call_id)}")
    if not 0 <= record.started_us < LAST_US:
        raise WireError(f"started_us: {record.started_us} is not between 1970 and 2100")
    return record


def storable(text: str) -> str:
    """Without what databases refuse: U+0000 goes, halves of surrogate pairs become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _cleaned(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_cleaned(part) for part in value]
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError(f"a text, not {value!r:.40}")
    return storable(value)


def _int(value: Any) -> int:
    if type(value) is not int or not -_MOST_INT <= value < _MOST_INT:
        raise WireError(f"a whole number of 64 bits, not {value!r:.40}")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WireError(f"true or false, not {value!r:.40}")
    return value


def _moment(value: Any) -> int | None:
    return None if value is None else _int(value)


def _none() -> None:
    return None


def _detail(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WireError(f"an object, not {value!r:.40}")
    return {storable(key): _text(part) for key, part in value.items()}


def _one_of(kind: type[Direction] | type[Result]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError as error:
            raise WireError(f"one of {', '.join(kind)}, not {value!r:.40}") from error

    return read


def _all(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise WireError(f"a list, not {value!r:.40}")
        return tuple([read(part) for part in value])

    return read_all


def _part(kind: type[Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise WireError(f"an object, not {value!r:.40}")
        return _read(kind, value)

    return read


_READ: dict[Any, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    str: (_text, str),
    int: (_int, int),
    bool: (_bool, bool),
    int | None: (_moment, _none),
    Direction: (_one_of(Direction), _none),
    Result: (_one_of(Result), _none),
    dict[str, str]: (_detail, dict),
    tuple[str, ...]: (_all(_text), tuple),
    tuple[Leg, ...]: (_all(_part(Leg)), tuple),
    tuple[QueueVisit, ...]: (_all(_part(QueueVisit)), tuple),
    tuple[TimelineItem, ...]: (_all(_part(TimelineItem)), tuple),
}
"""Type of a field → how it is read, what makes its empty value."""
_PLANS = {
    kind: [(field.name, *_READ[hints[field.name]]) for field in fields(kind)]
    for kind in (CallRecord, Leg, QueueVisit, TimelineItem)
    if (hints := get_type_hints(kind))
}


def _read(kind: type[Any], body: Mapping[str, Any]) -> Any:
    values = []
    for name, read, empty in _PLANS[kind]:
        if name in body:
            try:
                values.append(read(body[name]))
            except WireError as error:
                raise WireError(f"{name}: {error}") from error
        elif kind is CallRecord and name in _NEEDED:
            raise WireError(f"{name}: is missing")
        else:
            values.append(empty())
    return kind(*values)
