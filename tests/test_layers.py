"""The tree is the first diagram: its arrows are checked, not drawn."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_import_rules_hold() -> None:
    """Every contract of pyproject.toml is kept by the code as it is."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


STATEMENT = re.compile(
    r"\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\(SELECT\b", re.DOTALL
)
PIECES = frozenset({"Column", "Condition", "Selection", "Span"})
"""Of `infra.db.conditions`: what is made of SQL."""


def sql_in(path: Path) -> list[str]:
    """Where a module says SQL, or makes pieces of it."""
    found = []
    text = path.read_text(encoding="utf-8")
    pieces = PIECES if "infra.db.conditions" in text else frozenset()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if STATEMENT.search(node.value):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.value[:60]}")
        elif isinstance(node, ast.Call):
            made = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            if isinstance(made, ast.Name) and made.id in pieces:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: makes {made.id}")
    return found


def test_no_wire_speaks_sql() -> None:
    """What an entrypoint wants to know it asks the domain for."""
    modules = sorted((ROOT / "src/negatoscope/entrypoints").rglob("*.py"))
    assert len(modules) > 100
    assert [one for path in modules for one in sql_in(path)] == []
    assert sql_in(ROOT / "src/negatoscope/domain/patients/searching.py")  # it sees what there is
