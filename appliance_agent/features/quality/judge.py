"""Which trunks sound poor for minutes: with hysteresis, so that one bad call raises no alarm. Pure."""

from collections import defaultdict, deque
from dataclasses import dataclass

from ledger.quality import WINDOW_S

SPAN_S = 300
LEAST_WINDOWS = 18
"""Three minutes of talk, on one leg or several."""
RAISE_SHARE, CLEAR_SHARE = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Verdict:
    trunk: str
    poor: bool
    share: float
    """0..1 of the windows of the last minutes in which many would be dissatisfied."""


class TrunkJudge:
    """Too little talk to judge by leaves a trunk as it was."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, deque[tuple[int, bool]]] = defaultdict(deque)
        self._told: dict[str, bool] = {}

    def see(self, trunk: str, slot: int, poor: bool) -> None:
        self._seen[trunk].append((slot, poor))

    def verdicts(self, now_us: int) -> list[Verdict]:
        """Those that changed, and each trunk's first."""
        oldest = (now_us // 1_000_000 - SPAN_S) // WINDOW_S
        changed = []
        for trunk, windows in self._seen.items():
            while windows and windows[0][0] < oldest:
                windows.popleft()
            if len(windows) < LEAST_WINDOWS:
                continue
            share = sum(poor for _, poor in windows) / len(windows)
            known = self._told.get(trunk)
            poor = share >= RAISE_SHARE if not known else share > CLEAR_SHARE
            if poor != known:
                self._told[trunk] = poor
                changed.append(Verdict(trunk, poor, round(share, 2)))
        return changed

    def forget(self, trunk: str) -> None:
        """It is no trunk any more."""
        self._seen.pop(trunk, None)
        self._told.pop(trunk, None)

    def trunks(self) -> set[str]:
        return set(self._seen)
