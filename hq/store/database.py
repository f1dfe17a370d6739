"""What the statements of this folder need of a database. Two have it: `postgres`, and `sqlite` for a try.

Statements are written once, with `?` for values. Where the two differ, the difference is a verb here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]


class Transaction(Protocol):
    """Commits at the end of its `async with`, or (with an exception) leaves nothing."""

    async def rows(self, statement: str, *values: Any) -> list[Row]: ...

    async def run(self, statement: str, *values: Any) -> int:
        """How many rows it touched."""
        ...

    async def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """The statement once for each row."""
        ...

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Rows as fast as they go in; none of their keys is there."""
        ...

    async def temporary(self, table: str, like: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Rows in a `table` of this transaction only, with these columns of the table `like`."""
        ...

    async def lock_box(self, box: str) -> None:
        """Until the end, nobody else's transaction that locked this box goes on."""
        ...

    async def segments(self, starts: Sequence[int]) -> str:
        """An SQL expression over `at_us`: in which of these (rising) starts it lies, from 1."""
        ...


class Database(Protocol):
    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Raises Fault UNAVAILABLE when the database cannot be had in time; nothing was written then."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """One snapshot."""
        ...

    async def prepare(self) -> None:
        """Makes what is missing of the tables. Many servers may do it at once."""
        ...

    async def make_months(self, months: Sequence[str]) -> None:
        """Room for calls that began in these months ("2026-11")."""
        ...

    async def close(self) -> None: ...
