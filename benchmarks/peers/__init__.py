"""Other people's programs, fetched for a measurement and run with few changes."""
