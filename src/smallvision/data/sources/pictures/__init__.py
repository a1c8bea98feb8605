"""Sources of picture files: each finds out which class and part a file belongs to."""
