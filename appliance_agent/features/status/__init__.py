"""What the box is and whether it lives: the only things told to somebody who has not logged in."""
