"""Builders that tests share; no test module or conftest is imported for them."""
