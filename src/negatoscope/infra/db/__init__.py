"""PostgreSQL: connections, named queries, the embedded server, migrations."""

from negatoscope.infra.db.database import Database, check_durability
from negatoscope.infra.db.queries import load_queries

__all__ = ["Database", "check_durability", "load_queries"]
