"""What the box is: the only thing told to somebody who has not logged in."""
