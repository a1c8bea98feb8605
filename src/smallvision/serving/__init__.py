"""Answers without torch: exported models, and a server for them."""
