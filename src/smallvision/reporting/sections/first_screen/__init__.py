"""The first screen of a page: what is known, how sure that is, and what to do with it."""
