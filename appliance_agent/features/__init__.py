"""One folder a product capability; they never import each other."""
