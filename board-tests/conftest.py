"""The board for the tests of a module: one boot each, of the bare kernel (`board`) or of the product (`product`)."""

from collections.abc import Callable, Generator, Iterator

import pytest
import strategy
from analog import FLASH_MS, LINES, RING_DEBOUNCE_S, SOUNDS, TELEPHONES, Analog
from board import Board, Party
from labgrid import Target
from linesim_client import pause
from product import Product

pytest_plugins = ("boards", "figures")


@pytest.fixture(scope="module")
def board(target: Target, tell: Callable[[str], None]) -> Iterator[Board]:
    """The bare kernel, freshly booted, with a shell; no lines, no Asterisk."""
    power = target.get_driver("BoardStrategy")
    power.transition("kernel")
    board = Board(target)
    tell(booted(power, board))
    yield board
    power.transition("off")


@pytest.fixture(scope="module")
def product(target: Target, tell: Callable[[str], None]) -> Iterator[Product]:
    """The box as it is, freshly booted, with everything it starts; the exchange beside it."""
    power = target.get_driver("BoardStrategy")
    power.transition("product")
    product = Product(target)
    tell(booted(power, product))
    yield product
    power.transition("off")


@pytest.fixture(scope="module")
def lines(board: Board) -> Board:
    """The board with its cross-connected spans (guest/kernel/etc/dahdi/system.conf)."""
    board.run("/etc/board/lines")
    return board


@pytest.fixture(scope="module")
def parties(lines: Board) -> tuple[Party, Party]:
    """(the exchange, the device under test), with every link between them in service."""
    exchange, dut = lines.start("exchange", "dut")
    for party in (exchange, dut):
        party.wait_pri()
        party.wait_says("ss7 show linkset 1", "status: Up")
    return exchange, dut


@pytest.fixture(scope="module")
def exchange(parties: tuple[Party, Party]) -> Party:
    return parties[0]


@pytest.fixture(scope="module")
def dut(parties: tuple[Party, Party]) -> Party:
    """The device under test: our end of the lines."""
    return parties[1]


@pytest.fixture(scope="module")
def analog(board: Board) -> Analog:
    """Analog lines only: the simulator at the exchange's ends, Asterisk at ours."""
    board.run("/etc/board/lines analog")
    sim = board.simulate_lines(range(LINES.start, TELEPHONES.stop), FLASH_MS)
    for name, sound in SOUNDS.items():
        sim.load(name, sound)
    (dut,) = board.start("dut")
    sim.run(LINES.start, pause(RING_DEBOUNCE_S))
    sim.finish(LINES.start)
    return Analog(board, sim, dut)


def booted(power: strategy.BoardStrategy, board: Board) -> str:
    panics = f"; panics so far: {power.panics}" if power.panics else ""
    return f"booted in {board.times().up:.1f} s{panics}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the board wrote."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    board: Board | None = fixtures.get("board") or fixtures.get("product")
    if report.failed and board is not None:
        report.sections.append(("the board's logs", board.log()))
    return report
