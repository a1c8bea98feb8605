"""How alike images are, by their thumbnails; needs no torch."""
