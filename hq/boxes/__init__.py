"""What boxes say to headquarters: batches of their past."""
