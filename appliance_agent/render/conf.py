"""A small builder for Asterisk's `[section]` and `key = value` files. Everything passes the door."""

from appliance_agent.render.door import plain, section

Value = str | int | bool


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value))


class Conf:
    """Collects sections in order; `str()` is the file."""

    def __init__(self, about: str) -> None:
        self._lines = [f"; {plain(about)} Rendered from the desired state: do not edit."]

    def section(self, name: str, *pairs: tuple[str, Value], **options: Value) -> "Conf":
        """`pairs` for keys that repeat or are no Python names, `options` for the rest; they come in this order."""
        self._lines += ["", f"[{section(name)}]"]
        for key, value in (*pairs, *options.items()):
            self._lines.append(f"{plain(key)} = {_text(value)}")
        return self

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"
