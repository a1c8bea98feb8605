"""The search for better settings of a recipe, and the rerun that tests its gain."""
