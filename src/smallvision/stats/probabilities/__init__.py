"""Logits and probabilities: calibration, prediction sets, and images unlike any known."""
