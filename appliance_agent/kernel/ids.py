"""Ids that nobody can guess and no user text gets into."""

import uuid


def new_id() -> str:
    """32 lower-case hex digits, random (UUID 4)."""
    return uuid.uuid4().hex
