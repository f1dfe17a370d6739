"""The box's telephone lines as they are now: cards, states, alarms and their history, who holds which channel."""
