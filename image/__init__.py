"""The box's root file system: one definition for tests, `make run` and the image. Standard library only (host Python)."""
