"""Ensembles of finished runs, and the distillation of one into a single network."""
