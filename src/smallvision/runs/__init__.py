"""One run: a recipe on a split, trained, resumed, measured, repeated and explained."""
