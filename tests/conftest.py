"""For all tests."""

import signal

from hypothesis import settings

# `make test &` of a script ignores Ctrl-C, and so would the labs that tests end by it: a program inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, and nothing else.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
