"""Whole trainings: the time to a target, beside a peer, and without one idea each."""
