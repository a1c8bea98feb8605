"""The ladder as a whole: its plan, its rungs, the climb and its record."""
