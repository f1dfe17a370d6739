"""Every test that takes `database` runs on SQLite, and in `make test` on a real PostgreSQL too."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hq.store.database import Database
from hq.store.postgres import Postgres
from hq.store.sqlite import Sqlite
from tests.hq.postgres import Server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    made: Database
    if request.param == "sqlite":
        made = Sqlite(tmp_path / "hq.db")
    else:
        made = Postgres(request.getfixturevalue("postgres_server").new_database())
    await made.prepare()
    try:
        yield made
    finally:
        await made.close()
