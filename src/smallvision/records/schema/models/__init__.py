"""The records of saved and of exported models."""
