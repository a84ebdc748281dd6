"""Masks that tell objects apart."""
