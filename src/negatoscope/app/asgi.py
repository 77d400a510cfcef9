"""What granian imports in each of its worker processes."""

import gc
from typing import Any

from negatoscope.app.process import die_with_parent, tell_ready
from negatoscope.infra import logging
from negatoscope.infra.settings import Settings


def create_app() -> Any:
    """The ASGI application, for the settings in the environment."""
    die_with_parent()
    gc.disable()  # what is imported stays: looking through it again and again takes a seventh of the start
    try:
        return _create_app()
    finally:
        gc.enable()


def _create_app() -> Any:
    from negatoscope.app.attendant import Attendant
    from negatoscope.entrypoints.web.app import create_app as create

    settings = Settings.load()
    logging.configure(
        level=settings.log_level,
        format=settings.log_format,
        role="http",
        directory=settings.data_dir / "logs",
    )
    application = create(settings, on_ready=tell_ready)
    Attendant(settings, "http", report=application.report, apply=[application.reconfigure]).start()
    return application


def create_redirect() -> Any:
    """What stands beside HTTPS in clear."""
    from negatoscope.entrypoints.web.redirect import HttpsRedirect

    die_with_parent()
    return HttpsRedirect(Settings.load(), on_ready=tell_ready)
