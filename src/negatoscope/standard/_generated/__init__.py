"""Tables made from the standard's registries.

Made by tools/generate_standard.py from PS3.6 2024c: change that, never this.
"""
