"""Callers that nobody of us wrote the media of: SIP seats by pjsua2, and the scorers of what was heard."""
