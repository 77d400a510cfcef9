"""The web application as built from ``web/``: its files, its one document, their headers."""

from negatoscope.entrypoints.web.site.site import Site

__all__ = ["Site"]
