"""Text files and tables beside pictures that say something of them: their parts, their classes."""
