"""The lab: boxes in namespaces of their own, and an emulated public exchange (see README.md here)."""
