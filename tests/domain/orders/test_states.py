"""What follows for procedure and order is always in their tables."""

import itertools

from negatoscope.domain.orders import (
    PROCEDURE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    STEP_TRANSITIONS,
    ProcedureState,
    RequestState,
    StepState,
)
from negatoscope.domain.orders.steps import derived_procedure_state, derived_request_state


def test_every_change_of_a_step_is_one_the_procedure_can_follow() -> None:
    """With up to three steps, whatever the others are."""
    for others in itertools.chain.from_iterable(
        itertools.product(StepState, repeat=count) for count in range(3)
    ):
        for before, possible in STEP_TRANSITIONS.items():
            for after in possible:
                was = derived_procedure_state((before, *others))
                becomes = derived_procedure_state((after, *others))
                assert becomes is was or becomes in PROCEDURE_TRANSITIONS[was], (before, after)


def test_every_change_of_a_procedure_is_one_the_order_can_follow() -> None:
    """With up to three procedures, whatever the others are."""
    for others in itertools.chain.from_iterable(
        itertools.product(ProcedureState, repeat=count) for count in range(3)
    ):
        for before, possible in PROCEDURE_TRANSITIONS.items():
            for after in possible - {ProcedureState.REPLACED}:
                was = derived_request_state((before, *others))
                becomes = derived_request_state((after, *others))
                assert becomes is was or becomes in REQUEST_TRANSITIONS[was], (before, after)


def test_an_order_is_done_when_its_procedures_are() -> None:
    """One that was done makes it COMPLETED, none DISCONTINUED."""
    done, broken = ProcedureState.COMPLETED, ProcedureState.DISCONTINUED
    assert derived_request_state((done, broken)) is RequestState.COMPLETED
    assert derived_request_state((broken, broken)) is RequestState.DISCONTINUED
    assert derived_request_state((done, ProcedureState.REQUESTED)) is RequestState.IN_PROGRESS
    assert derived_request_state((ProcedureState.REPLACED,)) is RequestState.CANCELED
