"""python cffi_source.py OUT HEADER…: writes the extension's C source.

What lies between `/* cffi */` and `/* end cffi */` in the headers is the only declaration:
C compiles it, cffi reads it.
"""

import re
import sys
from pathlib import Path

from cffi import FFI

MARKED = re.compile(r"/\* cffi \*/\n(.*?)/\* end cffi \*/", re.S)


def main(out: str, headers: list[str]) -> None:
    ffi = FFI()
    for header in headers:
        regions = MARKED.findall(Path(header).read_text())
        if not regions:
            sys.exit(f"{header}: no region between /* cffi */ and /* end cffi */")
        ffi.cdef("\n".join(regions))
    ffi.set_source("voicecore._core", "\n".join(f'#include "{Path(header).name}"' for header in headers))
    ffi.emit_c_code(out)


main(sys.argv[1], sys.argv[2:])
