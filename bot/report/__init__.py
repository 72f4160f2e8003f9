"""Evaluation and Decision -> Report."""
