"""Golden files of what is rendered, and the real Asterisk that has to load and run them."""
