"""Live truth: channels, calls and queues as Asterisk says; the journal's tail into the ledger."""
