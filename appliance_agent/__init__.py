"""The box agent: manages Asterisk, remembers what happened, serves the panel. Calls never depend on it."""
