"""The box's hardware layer on the real DAHDI: what it finds, and that names stay when a span goes and comes back.

It runs on the board, on the board's Python, from where the image will have it (parts.py).
"""

import json
from typing import Any

from board import Board, until
from cable import PRI, RED
from wire import LIMIT_S

NAMES = "/tmp/lines.json"


def probe(board: Board) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(board.run(f"cd /usr/lib/sa800 && python3 -m hal {NAMES}", limit_s=300))
    return told


def channels(told: dict[str, Any]) -> dict[str, int]:
    return {line["name"]: line["channel"] for line in told["lines"]}


def test_lines_are_found_and_keep_their_names(lines: Board) -> None:
    first = probe(lines)
    e1 = {f"e1-{number}": 1 + 31 * (number - 1) for number in range(1, 7)}
    analog = {
        "fxs-1": 187,
        "fxs-2": 188,
        "fxo-1": 189,
        "fxo-2": 190,
        "fxo-3": 191,
        "fxo-4": 192,
        "fxs-3": 193,
        "fxs-4": 194,
    }
    assert channels(first) == e1 | analog
    assert [line["name"] for line in first["lines"] if line["alarms"]] == []

    lines.run("/etc/board/cable pull 1:0 31")
    until("the other end of the cable is in alarm", lambda: PRI.alarms(lines) == RED, LIMIT_S)
    pulled = probe(lines)
    assert pulled["missing"] == ["e1-1"]
    assert channels(pulled) == {name: channel for name, channel in channels(first).items() if name != "e1-1"}
    assert {line["name"]: line["alarms"] for line in pulled["lines"] if line["alarms"]} == {"e1-2": ["red"]}

    lines.run("/etc/board/cable plug 1:0 31")
    back = probe(lines)
    assert channels(back) == channels(first) and not back["missing"] and not back["guessed"]
    assert [card["id"] for card in back["cards"]] != [card["id"] for card in first["cards"]], "it came back elsewhere"
