"""The policy, cell by cell."""

import itertools

import pytest

from negatoscope.domain.identity import Action, Actor, AERole, Role, may
from negatoscope.domain.identity.policies import AE_ACTIONS, USER_ACTIONS

ACTIONS = (
    "verify store query retrieve commit worklist mpps print ups administer audit metrics glass share"
    " read-work order vet schedule perform catalogue reconcile"
)
# One column per action, in the order above: y, or . for no.
USERS = {
    Role.ADMINISTRATOR: "yyyyyyyyyyyyyyyyyyyyy",
    Role.RADIOLOGIST: "yyyyyy.yy...yyyyyyy..",
    Role.TECHNOLOGIST: "yyyyyyyyy...y.yy.yy..",
    Role.SECRETARY: "y.y..y..y....yyy.yy.y",
    Role.IDENTITY_MANAGER: "y.y...........y.....y",
    Role.CLINICIAN: "y.yy........yy.......",
    Role.PHYSICIST: "y.yy.......y.........",
    Role.PARTNER: "yyyy.................",
    Role.PATIENT: "y.yy.................",
}
APPLICATION_ENTITIES = {
    AERole.STORE: "yy...................",
    AERole.QUERY: "y.y..................",
    AERole.RETRIEVE: "y..y.................",
    AERole.COMMITMENT: "y...y................",
    AERole.WORKLIST: "y....y...............",
    AERole.MPPS: "y.....y..............",
    AERole.PRINT: "y......y.............",
    AERole.UPS: "y.......y............",
}


@pytest.mark.parametrize(
    ("kind", "role", "row"),
    [("user", role, row) for role, row in USERS.items()]
    + [("ae", role, row) for role, row in APPLICATION_ENTITIES.items()],
)
def test_one_role_may_exactly_this(kind, role, row) -> None:
    """Every action of every role, as the table above says."""
    actor = Actor(kind=kind, name="X", roles=frozenset({role}))
    assert "".join("y" if may(actor, action) else "." for action in Action) == row


def test_the_tables_know_every_role_and_action() -> None:
    """A new role or action cannot be forgotten here."""
    assert set(USERS) == set(Role) == set(USER_ACTIONS)
    assert set(APPLICATION_ENTITIES) == set(AERole) == set(AE_ACTIONS)
    assert len(Action) == len(ACTIONS.split())


def test_roles_add_up() -> None:
    """Two roles may what either may, and nothing else."""
    for first, second in itertools.combinations(Role, 2):
        both = Actor(kind="user", name="x", roles=frozenset({first, second}))
        for action in Action:
            alone = [
                bool(may(Actor(kind="user", name="x", roles=frozenset({role})), action))
                for role in (first, second)
            ]
            assert bool(may(both, action)) == any(alone)


def test_nobody_may_verify_and_the_program_may_everything() -> None:
    """An unknown AE title gets an echo, no more."""
    stranger = Actor.anonymous("MODALITY_X")
    assert [action for action in Action if may(stranger, action)] == [Action.VERIFY]
    assert all(may(Actor.system("worker"), action) for action in Action)


def test_a_role_of_the_other_kind_is_worth_nothing() -> None:
    """An AE called administrator, a user with an AE's role."""
    assert not may(Actor(kind="ae", name="A", roles=frozenset({"administrator"})), Action.STORE)
    assert not may(Actor(kind="user", name="a", roles=frozenset({"store"})), Action.STORE)


def test_a_refusal_says_why() -> None:
    """For the trail and for the log."""
    decision = may(Actor(kind="ae", name="A", roles=frozenset({"store"})), Action.QUERY)
    assert decision.reason == "not among the rights of its roles (store)"
