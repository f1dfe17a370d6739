"""Tests of telephone lines that are in no call: what can be tested where, how the port is taken, what came of it."""
