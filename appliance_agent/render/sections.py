"""A file of Asterisk taken apart into its sections. Pure."""

Section = tuple[str, ...]
"""Header as written, then key=value in order."""


def sections(text: str) -> list[Section]:
    """In order. The same header may come again. Comments, empty lines and spaces around keys are dropped."""
    found: list[list[str]] = []
    for raw in text.splitlines():
        line = raw.partition(";")[0].strip()
        if line.startswith("["):
            found.append([line])
        elif line and found:
            key, _, value = line.partition("=")
            found[-1].append(f"{key.strip()}={value.removeprefix('>').strip()}")
    return [tuple(section) for section in found]


def name_of(section: Section) -> str:
    return section[0][1:].partition("]")[0]


def value_of(section: Section, key: str) -> str:
    """The last one; "" when there is none."""
    return next((line.partition("=")[2] for line in reversed(section[1:]) if line.partition("=")[0] == key), "")
