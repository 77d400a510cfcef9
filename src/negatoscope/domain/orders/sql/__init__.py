"""Queries of the orders."""
