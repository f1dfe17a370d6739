"""The board for the tests of a module, each its own: with the bare kernel (`board`) or as the product (`product`)."""

from collections.abc import Callable, Generator, Iterator

import pytest
import strategy
from analog import FLASH_MS, LINES, RING_DEBOUNCE_S, SOUNDS, TELEPHONES, Analog
from board import Board, Party
from labgrid import Target
from linesim_client import pause
from product import Product

pytest_plugins = ("boards", "figures", "product_lines")


@pytest.fixture(scope="module")
def power(target: Target) -> Iterator[strategy.BoardStrategy]:
    power: strategy.BoardStrategy = target.get_driver("BoardStrategy")
    yield power
    power.transition("off")


Begin = Callable[[str, str, Callable[[], object]], bool]


@pytest.fixture(scope="module")
def begin(request: pytest.FixtureRequest, power: strategy.BoardStrategy, tell: Callable[[str], None]) -> Begin:
    """begin(fixture, boot, make): the board as that fixture promises it, made once a run (BoardStrategy.begin)."""
    anew = request.node.get_closest_marker("boots") is not None

    def begin(fixture: str, boot: str, make: Callable[[], object]) -> bool:
        files = {item.path for item in request.session.items if fixture in getattr(item, "fixturenames", ())}
        made = power.begin(fixture, boot, make, anew=anew, again=len(files) > 1)
        (up,) = power.shell.run_check("cut -d ' ' -f 1 /proc/uptime")
        panics = f"; panics so far: {power.panics}" if power.panics else ""
        tell(f"{fixture}: {'made' if made else 'restored'}, {up} s after its boot{panics}")
        return made

    return begin


@pytest.fixture(scope="module")
def board(target: Target, power: strategy.BoardStrategy, begin: Begin) -> Board:
    """The bare kernel, as freshly booted, with a shell; no lines, no Asterisk."""
    begin("board", "kernel", lambda: power.transition("kernel"))
    return Board(target)


@pytest.fixture(scope="module")
def product(target: Target, power: strategy.BoardStrategy, begin: Begin) -> Product:
    """The box as it is, as freshly booted, with everything it starts; the exchange beside it."""
    made = begin("product", "product", lambda: power.transition("product"))
    product = Product(target)
    if not made:
        product.check_unused()
    return product


@pytest.fixture(scope="module")
def lines(board: Board) -> Board:
    """The board with its cross-connected spans (guest/kernel/etc/dahdi/system.conf)."""
    board.run("/etc/board/lines")
    return board


@pytest.fixture(scope="module")
def parties(board: Board, begin: Begin) -> tuple[Party, Party]:
    """(the exchange, the device under test), with every link between them in service."""

    def make() -> None:
        board.run("/etc/board/lines")
        for party in board.start("exchange", "dut"):
            party.wait_pri()
            party.wait_says("ss7 show linkset 1", "status: Up")

    made = begin("parties", "kernel", make)
    exchange, dut = board.parties("exchange", "dut")
    if not made:
        exchange.check_unused()
        dut.check_unused()
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the board wrote."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    board: Board | None = fixtures.get("board") or fixtures.get("product")
    if report.failed and board is not None:
        report.sections.append(("the board's logs", board.log()))
    return report
