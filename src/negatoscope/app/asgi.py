"""What granian imports in each of its worker processes."""

from typing import Any

from negatoscope.app.process import die_with_parent
from negatoscope.infra import logging
from negatoscope.infra.settings import Settings


def create_app() -> Any:
    """The ASGI application, for the settings in the environment."""
    from negatoscope.entrypoints.web.app import create_app as create

    die_with_parent()
    settings = Settings.load()
    logging.configure(level=settings.log_level, format=settings.log_format, role="http")
    return create(settings)
