"""The product boots as on a box, and on a bench: systemd starts its units, the panel answers, what dies comes back."""

from collections.abc import Callable

import pytest
from board import until
from product import ADMINISTRATOR, Product
from wire import LIMIT_S

pytestmark = pytest.mark.boots
UNITS = ("sa800-init", "asterisk", "sa800-agent", "sa800-front")


def test_it_boots_and_takes_its_first_administrator(product: Product, say: Callable[[str], None]) -> None:
    assert product.wait_ready()["setup_needed"] is True
    say(product.run("systemd-analyze time | head -n 1"))
    assert product.run(f"systemctl is-active {' '.join(UNITS)}").split() == ["active"] * len(UNITS)
    assert product.run("systemctl list-units --failed --plain --no-legend") == ""
    api = product.api()
    api.ask("POST", "/setup", {"token": product.setup_token(), **ADMINISTRATOR})
    assert api.ask("GET", "/session")["user"]["role"] == "admin"
    assert product.wait_ready()["setup_needed"] is False


@pytest.mark.parametrize("unit", ["sa800-agent", "sa800-front", "asterisk"])
def test_what_dies_is_started_again(product: Product, unit: str) -> None:
    def pid() -> str:
        return product.run(f"systemctl show -P MainPID {unit}").strip()

    before = pid()
    product.run(f"systemctl kill -s KILL {unit}")
    until(f"{unit} runs again", lambda: pid() not in {before, "0"}, LIMIT_S)
    product.wait_ready()
