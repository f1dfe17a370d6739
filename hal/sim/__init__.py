"""The box as a library object: the same protocols and the same refusals as the real one, and verbs to drive it."""
