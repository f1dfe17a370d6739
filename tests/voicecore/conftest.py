"""`import voicecore` means the build of this checkout's cext/; SA800_CEXT chooses the variant (image/cext.py)."""

import os
import sys

from image import cext

sys.path.insert(0, str(cext.ensure(os.environ.get("SA800_CEXT", "plain")) / "site"))
