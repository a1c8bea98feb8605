"""A look at the training images before any model sees them."""
