"""Where images lie: in memory, or in a file from which they are read when they are asked for."""
