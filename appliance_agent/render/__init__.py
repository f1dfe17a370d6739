"""Desired state → Asterisk's files (pure) → apply: stage, swap, reload, read back."""
