"""For all tests."""

import signal

# `make test &` of a script ignores Ctrl-C, and so would the labs that tests end by it: a program inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
