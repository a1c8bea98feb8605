"""Statistics: arrays in, numbers out; neither torch nor disk."""
