"""The limiter alone: any sequence of attempts, bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.http.limiter import AttemptLimiter


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=60))
def test_never_more_than_allowed_in_any_window(attempts: list[tuple[str, float]]) -> None:
    limiter = AttemptLimiter(attempts=3, window_s=10)
    passed: dict[str, list[float]] = {"a": [], "b": []}
    now = 0.0
    for key, pause in attempts:
        now += pause / 10
        wait_s = limiter.begin(key, now)
        if wait_s == 0:
            passed[key].append(now)
        else:
            assert 1 <= wait_s <= 11
    for times in passed.values():
        for first, fourth in zip(times, times[3:], strict=False):
            assert fourth - first >= 10


def test_memory_is_bounded_and_the_busiest_stay() -> None:
    limiter = AttemptLimiter(attempts=2, window_s=10, keys=3)
    assert [limiter.begin("guesser", 0), limiter.begin("guesser", 0)] == [0, 0]
    for number in range(100):
        limiter.begin(f"other {number}", 1)
        assert limiter.begin("guesser", 1) > 0


def test_a_success_is_forgiven() -> None:
    limiter = AttemptLimiter(attempts=2, window_s=10)
    for now in range(10):
        assert limiter.begin("a", now) == 0
        limiter.take_back("a")
    limiter.begin("a", 10)
    limiter.begin("a", 10)
    limiter.forget("a")
    assert limiter.begin("a", 10) == 0
