"""Probes of the links to other boxes, as jobs of the agent: begun, followed, kept; and peers' probes, answered."""
