"""Kinds of sources of images: one file for each."""
