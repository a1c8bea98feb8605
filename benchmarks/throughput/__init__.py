"""Images a second: jobs of a few seconds that take turns."""
