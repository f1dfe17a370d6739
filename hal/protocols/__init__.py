"""One protocol a capability. A backend declares in `capabilities` what it can do; the rest raises NotSupported."""
