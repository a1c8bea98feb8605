"""Measurements of speed, and the records under `results/`; not part of the package."""
