"""Statistics of images and of features: where they lie, and what their averages tell apart."""
