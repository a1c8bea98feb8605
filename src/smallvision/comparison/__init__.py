"""Comparisons of finished runs on the same validation images."""
