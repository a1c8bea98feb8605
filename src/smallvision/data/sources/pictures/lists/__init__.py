"""Texts, tables and MATLAB files beside pictures: what they tell of parts and classes."""
