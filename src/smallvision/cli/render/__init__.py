"""Records printed in a terminal."""
