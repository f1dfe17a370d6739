"""How a link between two boxes carries calls: streams of sound through the jitter buffer of the other end."""
