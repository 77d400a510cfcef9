"""Every action that some door records has a class on purpose."""

import ast
from pathlib import Path

import negatoscope
from negatoscope.domain.identity import Action
from negatoscope.subscribers.audit import EventClass
from negatoscope.subscribers.audit.model import CHAIN_OF, class_of

SOURCES = Path(negatoscope.__file__).parent
RECORDERS = {"note", "record", "record_in", "note_read", "seen"}
CONFIGURATION = {
    *("add", "administer", "cancel", "change", "create", "dismiss", "end", "give", "link", "prove", "remove", "retry", "revoke"),
    *("set", "verify", "write", "make", "resend", "test", "enable", "disable", "put", "update", "install", "pause"),
}  # fmt: skip
"""First words of actions that change who may do what, or how the program works."""


def literal_actions() -> set[str]:
    """The actions that stand as text in calls of the recorders."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name not in RECORDERS:
                continue
            given = [*node.args[:2], *(k.value for k in node.keywords if k.arg == "action")]
            found |= {
                one.value
                for one in given
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def test_actions_are_classified() -> None:
    """What falls to the default is configuration, and says so with its first word."""
    found = literal_actions()
    assert {"sign in", "sign out", "associate", "command", "add user", "use link"} <= found
    by_default = {one for one in found if class_of(one) is EventClass.CONFIGURATION}
    assert {one for one in by_default if one.split()[0] not in CONFIGURATION} <= {"set up"}


def test_each_class_has_a_chain_and_each_right_a_class() -> None:
    """Nothing is without a place."""
    assert set(CHAIN_OF) == set(EventClass)
    assert {one for one in Action if class_of(one) is EventClass.CONFIGURATION} == {
        Action.ADMINISTER,
        Action.CATALOGUE,
    }
    assert class_of("end break glass") is EventClass.BREAK_GLASS
    assert class_of("task accept") is EventClass.CHANGE
