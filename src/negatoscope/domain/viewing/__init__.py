"""Pixels for people and for software that cannot read them as they are stored."""
