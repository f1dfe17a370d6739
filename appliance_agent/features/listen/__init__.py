"""Listening to a call while it goes on: Asterisk's RTP → jitter buffers → the page, unheard by the parties, audited."""
