"""Formats of strangers that hold no single picture: archives, arrays and tables, within bounds."""
