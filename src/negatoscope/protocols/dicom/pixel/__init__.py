"""Pixels (PS3.3 §C.7.6.3, PS3.5 §8): described, decoded, encoded; code streams in and out of data sets."""
