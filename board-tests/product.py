"""The product on the board, as the tests see it: its HTTP interface, its serial console, and the exchange beside it."""

import contextlib
import functools
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any

from ami import Ami
from board import CALLS, NO_CALL, PARTIES, Board, Party, reach, until
from wire import LIMIT_S

PANEL_PORT = 443
SETUP_TOKEN = "/var/lib/sa800/setup-token"
RESTARTED = (
    """since=$(date -d "$(systemctl show --timestamp=unix -P ExecMainStartTimestamp asterisk)" '+[%F %T'); """
    """ours=$(asterisk -rx 'pri show channels' | grep -c '^   1 '); """
    """awk -v since="$since" -v ours="$ours" '$0 > since && / restarted$/ { n++ } END { exit n < ours }' """
    """/var/log/exchange/restarts && echo yes || sleep 1"""
)
"""Whether the exchange has seen a restart of each channel of our PRI since our Asterisk began."""
ADMINISTRATOR = {"login": "admin", "password": "board board board", "name": "Board", "language": "en"}


class ApiError(Exception):
    """The box refused; `key` and the message are its own."""

    def __init__(self, status: int, key: str, message: str) -> None:
        super().__init__(f"{status} {key}: {message}")
        self.key = key


class Api:
    """One session at the box's HTTP interface. The box's certificate is its own, so nobody vouches for it."""

    def __init__(self, url: str) -> None:
        self._url = url
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._cookies = CookieJar()
        https, cookies = urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(https, cookies)

    @property
    def cookie(self) -> str:
        """Of the session, once somebody is logged in."""
        (cookie,) = self._cookies
        return cookie.value or ""

    def raw(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
        """Raises ApiError when the box refuses, OSError when it does not answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/api/v1{path}", data, headers or {}, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=LIMIT_S) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refused:
            with refused:
                told = json.load(refused)["error"]
            raise ApiError(refused.code, told["key"], f"{told['message']} {told.get('fields', '')}") from None

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        content = self.raw(method, path, body, headers)
        return json.loads(content) if content else None

    def put(self, items: Mapping[str, object]) -> None:
        """Changes the draft of the configuration: path → item. Raises ApiError when the box refuses."""
        for path, item in items.items():
            revision = self.ask("GET", "/config")["revision"]
            self.ask("PUT", f"/config/{path}", item, {"If-Match": str(revision)})

    def configure(self, items: Mapping[str, object]) -> dict[str, Any]:
        """The same, and applies it; the job, once it is done.

        Raises ApiError when the box refuses, RuntimeError when the job failed.
        """
        self.put(items)
        revision = self.ask("GET", "/config")["revision"]
        job: dict[str, Any] = self.ask("POST", "/config/apply", {"revision": revision, "when": "now"})

        def ended() -> dict[str, Any] | None:
            now: dict[str, Any] = self.ask("GET", f"/config/jobs/{job['id']}")
            return None if now["state"] in {"waiting", "running"} else now

        done = until("the change is applied", ended, LIMIT_S)
        if done["state"] != "done":
            raise RuntimeError(f"the change was not applied: {done['error']}")
        return done


class Product(Board):
    """Booted as a box: systemd, Asterisk, agent and front as on any other."""

    heard_at = "exchange"

    @functools.cached_property
    def exchange(self) -> Party:
        port, tone = PARTIES["exchange"]
        return Party("exchange", Ami(reach(self.target, port, "exchange")), tone)

    def kill_exchange(self) -> None:
        """Its lines are dead from one moment to the next, and nobody holds their far ends."""
        self.run(
            "systemctl kill -s KILL exchange; while systemctl -q is-active exchange; do busybox usleep 10000; done"
        )
        del self.exchange

    def start_exchange(self) -> None:
        self.run("systemctl start exchange")

    @property
    def url(self) -> str:
        """Of the panel. The box's certificate is its own."""
        address, port = reach(self.target, PANEL_PORT)
        return f"https://{address}:{port}"

    def api(self) -> Api:
        """A new session, nobody logged in."""
        return Api(self.url)

    def wait_ready(self, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """What the box says of itself, once its Asterisk is up. Raises TimeoutError."""
        api = self.api()

        def up() -> dict[str, Any] | None:
            with contextlib.suppress(OSError, ApiError):
                said: dict[str, Any] = api.ask("GET", "/status")
                return said if said["asterisk"] == "up" else None
            return None

        return until("the box says that its Asterisk is up", up, limit_s)

    def served(self) -> set[int]:
        """DAHDI's channels that the box's Asterisk has."""
        rows = (row.split() for row in self.run("asterisk -rx 'dahdi show channels'").splitlines())
        return {int(row[0]) for row in rows if row and row[0].isdigit()}

    def buffers(self) -> dict[str, dict[str, int]]:
        """Name of a channel of the box's Asterisk with a jitter buffer of ours → what that counted."""
        found: dict[str, dict[str, int]] = json.loads(self.run("/etc/board/buffers"))
        return found

    def wait_pri(self) -> None:
        """Until the PRI is up at both ends and our Asterisk has restarted its channels, 5 s after it found the link up.

        A call that crosses a restart is refused (cause 44), and this exchange tries no other channel.
        """

        def up() -> bool:
            return "Up, Active" in self.run("asterisk -rx 'pri show spans'")

        until("our PRI link is up", up, LIMIT_S)
        self.exchange.wait_pri()
        until("the channels of the PRI were restarted", lambda: "yes" in self.run(RESTARTED), LIMIT_S)

    def check_unused(self) -> None:
        """A saved state is one before any test. Raises AssertionError."""
        said = self.run(f"ls {SETUP_TOKEN} 2>&1; asterisk -rx '{CALLS}'; true")
        fresh = said.startswith(f"{SETUP_TOKEN}\n") and NO_CALL in said
        assert fresh, f"the state that was restored is not that of a fresh box: {said}"

    def administrator(self) -> Api:
        """A session of the administrator, whom the first one makes."""
        api = self.api()
        if self.wait_ready()["setup_needed"]:
            api.ask("POST", "/setup", {"token": self.setup_token(), **ADMINISTRATOR})
        else:
            api.ask("POST", "/session", {key: ADMINISTRATOR[key] for key in ("login", "password")})
        return api

    def setup_token(self) -> str:
        """Of the first start; it is gone once an administrator was made."""
        return self.run(f"cat {SETUP_TOKEN}").strip()

    def setup_url(self) -> str:
        """The link of the first start."""
        return f"{self.url}/setup#token={self.setup_token()}"

    def log(self) -> str:
        try:
            return self.run("journalctl --no-pager -n 60 | cut -c -200; tail -n 25 /var/log/exchange/messages 2>&1")
        except Exception as error:  # noqa: BLE001 - evidence about a failure must not hide it
            return f"no log: {error}"
