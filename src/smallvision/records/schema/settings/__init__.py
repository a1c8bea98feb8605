"""Typed settings that records hold as well as recipes: what networks are built from.

They lie here, below all that builds, so that a model from a stranger is checked by the very ranges
that a recipe is. `recipes.settings` has the settings that only recipes have.
"""
