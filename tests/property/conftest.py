"""The scene of the golden tests: a real Asterisk and phones around it."""

from tests.golden.conftest import root, scene

__all__ = ["root", "scene"]
