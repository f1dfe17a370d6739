"""Properties that hold for every document, whatever people type."""
