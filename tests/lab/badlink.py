"""A box's own cable made bad, for tests: a token bucket for what it sends, loss of what it gets."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


@contextmanager
def bottleneck(namespace: str, rate: str) -> Iterator[None]:
    """What leaves the namespace goes through a line of `rate`, as tc says it (1mbit), which keeps 100 ms at most."""
    line = ("root", "tbf", "rate", rate, "burst", "3k", "latency", "100ms")
    _run("tc", "-n", namespace, "qdisc", "add", "dev", "eth0", *line)
    try:
        yield
    finally:
        _run("tc", "-n", namespace, "qdisc", "del", "dev", "eth0", "root")


@contextmanager
def loss(namespace: str, percent: int, of: str) -> Iterator[None]:
    """Of what reaches the namespace and is `of`, in nft's words, so much is dropped, at random."""
    nft = ("ip", "netns", "exec", namespace, "nft")
    chain = "add table ip bad; add chain ip bad in { type filter hook input priority 0; }"
    _run(*nft, f"{chain}; add rule ip bad in {of} numgen random mod 100 < {percent} drop")
    try:
        yield
    finally:
        _run(*nft, "delete table ip bad")
