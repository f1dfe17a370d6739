"""Reports: figures over call records, computed by `ledger.report`."""
