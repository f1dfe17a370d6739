"""Hardware abstraction layer: what the box can do, and the same box simulated."""
