"""The other end of analog lines, on raw DAHDI channels of the board. Standard library only; nothing of the product."""
