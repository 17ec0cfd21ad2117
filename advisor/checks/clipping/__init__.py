"""Gradient clipping: whether, where and how much."""
