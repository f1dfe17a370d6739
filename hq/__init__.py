"""Headquarters: keeps what all branches tell, and says what all branches do."""
