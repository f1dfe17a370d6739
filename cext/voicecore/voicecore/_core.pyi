"""The compiled module; its names are the marked regions of src/*.h, which cffi reads."""

from typing import Any

ffi: Any
lib: Any
