"""make proof-jitter: one log of arrivals, through our jitter buffer and through Asterisk's, judged by what sounds."""
