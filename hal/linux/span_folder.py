"""A span's folder in sysfs, made sure to be its card's, and kept open: a look at an attribute is one pread.

The kernel ties an open attribute to the device, not to its name. Read again from its beginning it is made anew; once
the device is gone it answers ENODEV for good, whatever has the name by now (Documentation/filesystems/sysfs.rst,
kernfs_seq_start in fs/kernfs/file.c). So whose span it is has to be found out once for each opening, not at each look.
"""

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hal.detect.detect import card_id
from hal.detect.view import Node
from hal.errors import NotThere
from hal.linux.sysfs import folder
from hal.model.inventory import Card, Span

T = TypeVar("T")

MOST_BYTES = 4096
"""An attribute is never longer: a page."""


class OpenFolder:
    """Blocking. Closed when nobody reads from it any more: a thread that hangs in the kernel still does, and would
    otherwise go on with a number that is another file's by then."""

    def __init__(self, path: str) -> None:
        """Raises OSError."""
        self._folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._files: dict[str, int] = {"": self._folder}
        weakref.finalize(self, _close, self._files)

    def text(self, name: str) -> str | None:
        """An attribute (`name` may lead into a folder below) without its trailing newline; None when it is not there,
        is no longer there, or the device does not answer."""
        try:
            if name not in self._files:
                self._files[name] = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._folder)
            return os.pread(self._files[name], MOST_BYTES, 0).decode(errors="replace").rstrip("\n")
        except OSError:
            return None

    def leads_to(self, link: str) -> str:
        """Name of the device that a link leads to; "" when it leads nowhere."""
        try:
            return Path(os.readlink(link, dir_fd=self._folder)).name
        except OSError:
            return ""


def _close(files: dict[str, int]) -> None:
    for file in files.values():
        os.close(file)


class SpanFolder:
    """Of one span of one card, wherever its number leads to now. Blocking."""

    def __init__(self, card: Card, span: Span) -> None:
        self._card, self._span = card, span
        self._kept: OpenFolder | None = None

    @property
    def who(self) -> str:
        return f"span {self._span.local} of {self._card.id}"

    def channel(self, position: int) -> str:
        """Name of the folder of a channel, in a span that is there; `position` counts its channels from 1."""
        return f"dahdi!chan!{self._span.number:03}!{position:03}"

    def read(self, look: Callable[[OpenFolder], T | None]) -> T:
        """What `look` finds. It tells by None that something was gone, for which the card is looked for once more: it
        may have come back. Raises NotThere."""
        if (kept := self._kept) is not None and (found := look(kept)) is not None:
            return found
        self._kept = None
        opened = self.make_sure()
        if (found := look(opened)) is None:
            raise NotThere(f"{self.who} vanished while it was read", hint="probe again")
        self._kept = opened
        return found

    def make_sure(self) -> OpenFolder:
        """Opened anew: a number can be another span's by now. Raises NotThere."""
        number = self._span.number
        if number is None:
            raise NotThere(f"{self.who} has no number", hint="assign it first, then probe again")
        try:
            opened = OpenFolder(str(folder("dahdi_spans", f"span-{number}")))
        except OSError:
            opened = None
        if opened is None or not self._is_ours(opened):
            raise NotThere(
                f"{self.who} is no longer span {number}", hint="the card was pulled or renumbered: probe again"
            )
        return opened

    def _is_ours(self, opened: OpenFolder) -> bool:
        device = {name: opened.text(f"ddev/{name}") or "" for name in ("type", "hardware_id", "location")}
        whose = card_id(Node(opened.leads_to("ddev"), "", device))
        return whose == self._card.id and opened.text("local_spanno") == str(self._span.local)
