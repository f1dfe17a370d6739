"""How often somebody may try: a sliding window per key, bounded memory. Pure; `now` in seconds is passed in."""

import math
from collections import OrderedDict, deque


class AttemptLimiter:
    def __init__(self, *, attempts: int, window_s: float, keys: int = 10_000) -> None:
        self._attempts, self._window_s, self._keys = attempts, window_s, keys
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, key: str, now: float) -> int:
        """Counts an attempt before its outcome is known, so that many at once cannot pass. Returns 0, or the
        seconds to wait when the attempt is not allowed (it is not counted then)."""
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while times and times[0] <= now - self._window_s:
            times.popleft()
        if len(times) >= self._attempts:
            return max(1, math.ceil(times[0] + self._window_s - now))
        times.append(now)
        while len(self._seen) > self._keys:
            self._seen.popitem(last=False)
        return 0

    def take_back(self, key: str) -> None:
        """The last attempt was a good one: it does not count."""
        times = self._seen.get(key)
        if times:
            times.pop()

    def forget(self, key: str) -> None:
        """Somebody proved who they are: earlier failures do not count any more."""
        self._seen.pop(key, None)
