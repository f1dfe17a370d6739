"""The box's root file system: one definition for tests, `make run` and the image. Host Python, no dependencies."""
