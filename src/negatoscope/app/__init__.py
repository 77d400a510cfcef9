"""The composition root: settings → services → listeners.

``roles`` has the processes (``run_dicom``, ``run_http``, ``run_worker``), ``supervisor`` keeps
them running, ``serving`` puts both behind ``negatoscope serve``; ``health`` looks at all of it.
Nothing is imported here: a command that needs the database alone should not load the archive.
"""
