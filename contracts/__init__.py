"""What processes share: data and types only. No I/O, no dependencies."""
