"""What every HTTP wire shares: requests, answers, problems, sign-in, and the page at ``/``.

``app.create_app`` puts the wires together; the other modules know none of them.
"""
