"""Every kind of event that a box may tell is one that headquarters reads."""

import pytest

from contracts.sync import Event, Kind
from hq.boxes.changes import Changes, changes_of


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_reader(kind: Kind) -> None:
    left_out = changes_of([Event(1, kind, 0, {})]).left_out
    assert all("does not know the kind" not in one.why for one in left_out.values())


def test_what_is_no_more_changes_nothing() -> None:
    assert changes_of([Event(1, Kind.VOID, 0, {})]) == Changes()
