"""A process of its own: hears the exchange's busy tones on FXO ports and has Asterisk hang up."""
