"""What a finished model is: its layers, its figures, and its training in words."""
