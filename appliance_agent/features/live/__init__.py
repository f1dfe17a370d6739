"""The live board: queues, seats, calls and alarms as they are now."""
