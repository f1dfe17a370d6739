"""The link to headquarters: joins it, tells it what happened, says what is now. Nothing here is needed for calls."""
