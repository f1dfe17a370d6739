"""The panel's API as the lab asks it: is the box ready?"""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.lab.box import LabError
from tests.lab.waiting import TooLate, until

Trust = Callable[[], ssl.SSLContext | None]
"""Asked each time: a box makes its certificate while it starts."""


def status(url: str, trust: Trust) -> dict[str, Any] | None:
    """GET /api/v1/status; None while nobody answers or the answer is an error."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/status", timeout=5, context=trust()) as answer:
            return dict(json.load(answer))
    except (urllib.error.URLError, OSError, ValueError):
        return None


def wait_for_panel(url: str, trust: Trust, limit_s: float, still_alive: Callable[[], None]) -> None:
    """Until the API says that Asterisk is up. `still_alive` raises when waiting has become hopeless."""

    def up() -> bool:
        said = status(url, trust)
        if said is None:
            still_alive()
        return said is not None and said.get("asterisk") == "up"

    try:
        until(f"{url}/api/v1/status says that Asterisk is up", up, limit_s=limit_s, every_s=0.05)
    except TooLate as error:
        raise LabError(f"{error}; it says {status(url, trust)}") from error
