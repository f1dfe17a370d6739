"""The box's lines taken into service: a plan, its carrying out, and a report of what came of it."""
