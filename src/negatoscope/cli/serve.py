"""``negatoscope serve``."""

from typing import Any

import click

from negatoscope.cli.common import data_options

ROLES = ("all", "http", "dicom", "hl7", "worker")


@click.command()
@data_options
@click.option("--http", metavar="H:P", help="HTTP address (default: 127.0.0.1:8080).")
@click.option("--dicom", metavar="H:P", help="DICOM address (default: 127.0.0.1:11112).")
@click.option("--hl7", metavar="H:P", help="Address of the HL7 (MLLP) listener.")
@click.option("--ae-title", metavar="AET", help="Our AE title (default: NEGATOSCOPE).")
@click.option(
    "--role",
    type=click.Choice([*ROLES, "demo", "http-plain"]),
    metavar="|".join(ROLES),
    default="all",
    show_default=True,
    help="Run one of the processes alone.",
)
@click.option("--demo", is_flag=True, help="Make accounts and load a demonstration department.")
@click.option("--ohif", is_flag=True, help="Fetch OHIF when it is missing, and serve it at /ohif.")
def serve(role: str, demo: bool, ohif: bool, **given: Any) -> int:
    """Start the archive and keep it running.

    Starts the embedded PostgreSQL unless there is a database URL, brings the schema up to date,
    runs the processes and restarts those that die. SIGTERM stops in order: running associations
    and requests may end within stop_grace_s. Prints how to reach it when everything answers.
    """
    from negatoscope.infra import logging
    from negatoscope.infra.settings import Settings

    settings = Settings.load(**given)
    logging.configure(
        level=settings.log_level,
        format=settings.log_format,
        role="supervisor" if role == "all" else role,
        directory=settings.data_dir / "logs",
    )
    if role == "all":
        from negatoscope.app.serving import serve_all

        return serve_all(settings, demo=demo, ohif=ohif)
    from negatoscope.app.serving import serve_role

    serve_role(settings, role)
    return 0
