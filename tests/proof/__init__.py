"""Proof commands: one run on the real parts, evidence in OUT, figures as JSON on the last line, red under BREAK."""
