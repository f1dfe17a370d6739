"""`python3 -m hal`: what a technician or a board test asks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.__main__ import main
from tests.hal import cards
from tests.hal.bed import Bed
from tests.hal.kernel import Kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Bed() as bed:
        yield Kernel(bed)


def test_cards_lines_and_alarms_are_told(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    kernel.plug(cards.wct4xxp(spans=2), "05:04.0")
    kernel.plug(cards.wctdm24xxp("os--"), "05:05.0", assign=False)
    kernel.plug(cards.stranger(), "05:06.0")
    kernel.set(2, "alarms", "0x8")
    assert main([]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lines"] == [
        {"name": "e1-1", "channel": 1, "alarms": []},
        {"name": "e1-2", "channel": 32, "alarms": ["red"]},
    ]
    assert [card["family"] for card in told["cards"]] == ["wct4xxp", "wctdm24xxp", None]
    assert "catalogue" in told["cards"][2]["trouble"]


def test_names_are_kept_in_the_file(kernel: Kernel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "lines.json")
    plugged = kernel.plug(cards.wctdm24xxp("os--"), "05:05.0")
    assert main([file]) == 0
    kernel.pull(plugged)
    capsys.readouterr()
    assert main([file]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ["fxo-1", "fxs-1"]
    assert main(["a", "b"]) == 2
