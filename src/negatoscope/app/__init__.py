"""The composition root: settings → services → listeners.

``run_dicom``, ``run_http`` and ``run_worker`` are the processes; ``Supervisor`` keeps them
running; ``health`` looks at all of it.
"""

from negatoscope.app.health import Check, health
from negatoscope.app.roles import run_demo, run_dicom, run_http, run_worker
from negatoscope.app.supervisor import Supervisor

__all__ = ["Check", "Supervisor", "health", "run_demo", "run_dicom", "run_http", "run_worker"]
