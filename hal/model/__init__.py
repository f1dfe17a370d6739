"""Pure: what is in the box, what its lines are called, what the edition allows."""
