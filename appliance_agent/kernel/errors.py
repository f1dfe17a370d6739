"""One root error. It says what happened, where, and what to do; one place maps it to HTTP, one to exit codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class FaultKind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldFault:
    path: str
    """Where, as a path in the request or document: menus/main/options/1/target."""
    message: str
    key: str = ""
    """For translations: menu_without_way_out. "" where there are none: the message is shown as it is."""
    values: Mapping[str, str | int] = field(default_factory=dict, compare=False)
    """What the translation names."""

    @classmethod
    def of(cls, path: str, key: str, words: str, **values: str | int) -> Self:
        """`words`: the message, with its values as {name}."""
        return cls(path, words.format(**values), key, values)


class Fault(Exception):
    """An expected failure, told to a person."""

    def __init__(
        self,
        kind: FaultKind,
        key: str,
        message: str,
        *,
        hint: str = "",
        fields: Sequence[FieldFault] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.key = key
        """Stable dotted key for programs and translations: config.reference."""
        self.message = message
        self.hint = hint
        self.fields = tuple(fields)
        self.retry_after_s = retry_after_s
        """TOO_MANY and UNAVAILABLE: when trying again makes sense."""
