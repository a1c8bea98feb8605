"""Typed settings: what a recipe may say, in which range, with which default.

The classes mirror the keyword arguments of the builders in `models`, `augment`, `optim` and
`training`, so that those never see a recipe and this room does not need torch;
tests/catalogs/test_settings.py compares the two. Each technique's card is its description for
people who choose. Those of networks lie in `records.schema.settings`, because saved models hold
them too.
"""
