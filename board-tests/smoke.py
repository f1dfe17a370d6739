"""The smoke of `make test` (`run smoke`): calls over each kind of line, then a cable pulled in a call, in one boot."""

# In this order: the cable takes the exchange down.
from test_calls import test_in_by_a_trunk, test_in_by_an_fxo_port  # isort: skip
from test_digits import test_digits_are_heard  # isort: skip
from test_cable import test_a_cable_is_pulled_in_a_call_and_put_back  # isort: skip

__all__ = [
    "test_a_cable_is_pulled_in_a_call_and_put_back", "test_digits_are_heard", "test_in_by_a_trunk",
    "test_in_by_an_fxo_port",
]  # fmt: skip
