"""Presentation contexts and roles: what is proposed, what is answered, what it means.

PS3.8 §7.1.1.13 and §9.3.2.2 (contexts), PS3.7 §D.3.3.4 (roles: always stated for the requestor).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    ContextResult,
    ProposedPresentationContext,
    RoleSelection,
)
from negatoscope.protocols.dicom.ul.pdu import (
    MAX_PRESENTATION_CONTEXTS,
    AssociateAccept,
    AssociateRequest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedContext:
    """What a requestor wants of one SOP class; IDs are given by `propose`.

    Attributes:
        abstract_syntax: SOP class UID.
        transfer_syntaxes: In order of preference.
        scu_role: We want to be its SCU.
        scp_role: We want to be its SCP (C-GET, storage commitment answers).
    """

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    scu_role: bool = True
    scp_role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedContext:
    """An accepted presentation context; ``as_scu``, ``as_scp``: the roles open to *us*."""

    id: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool
    as_scp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOffer:
    """What an acceptor grants to a proposed abstract syntax.

    Attributes:
        transfer_syntaxes: Those it takes; None takes whatever comes first.
        requestor_may_be_scu: Answer to a proposed SCU role.
        requestor_may_be_scp: Answer to a proposed SCP role.
    """

    transfer_syntaxes: Collection[str] | None = None
    requestor_may_be_scu: bool = True
    requestor_may_be_scp: bool = False


def propose(
    contexts: Sequence[ProposedContext],
) -> tuple[tuple[ProposedPresentationContext, ...], tuple[RoleSelection, ...]]:
    """Presentation context items, IDs 1, 3, 5…, and the role selections they need.

    Raises:
        ValueError: More than 128 contexts.
    """
    if len(contexts) > MAX_PRESENTATION_CONTEXTS:
        raise ValueError(f"{len(contexts)} presentation contexts, 128 fit in an association")
    items = tuple(
        ProposedPresentationContext(
            context_id=2 * index + 1,
            abstract_syntax=context.abstract_syntax,
            transfer_syntaxes=context.transfer_syntaxes,
        )
        for index, context in enumerate(contexts)
    )
    roles: dict[str, RoleSelection] = {}
    for context in contexts:
        if context.scp_role or not context.scu_role:
            roles[context.abstract_syntax] = RoleSelection(
                sop_class_uid=context.abstract_syntax, scu=context.scu_role, scp=context.scp_role
            )
    return items, tuple(roles.values())


def answer(
    request: AssociateRequest,
    offer_for: Callable[[ProposedPresentationContext], ContextOffer | ContextResult],
) -> tuple[tuple[AnsweredPresentationContext, ...], tuple[RoleSelection, ...]]:
    """The acceptor's answers to every proposed context and to the roles proposed with them.

    Of the transfer syntaxes the first in the requestor's own order that the offer takes is chosen:
    the order is its preference, and it knows what it holds.

    Args:
        request: The A-ASSOCIATE-RQ.
        offer_for: What is granted to one context, or the reason why it is refused.
    """
    answers: list[AnsweredPresentationContext] = []
    offers: dict[str, ContextOffer] = {}
    for proposed in request.presentation_contexts:
        offer = offer_for(proposed)
        if isinstance(offer, ContextResult):
            result, chosen = offer, None
        else:
            chosen = next(
                (
                    uid
                    for uid in proposed.transfer_syntaxes
                    if uid and (offer.transfer_syntaxes is None or uid in offer.transfer_syntaxes)
                ),
                None,
            )
            if chosen is None:
                result = ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED
            else:
                result = ContextResult.ACCEPTANCE
                offers[proposed.abstract_syntax] = offer
        # not significant when refused, yet it must be there (PS3.8 §9.3.3.2)
        fallback = proposed.transfer_syntaxes[0] if proposed.transfer_syntaxes else ""
        answers.append(
            AnsweredPresentationContext(
                context_id=proposed.context_id, result=result, transfer_syntax=chosen or fallback
            )
        )
    roles = tuple(
        RoleSelection(
            sop_class_uid=role.sop_class_uid,
            scu=role.scu and offers[role.sop_class_uid].requestor_may_be_scu,
            scp=role.scp and offers[role.sop_class_uid].requestor_may_be_scp,
        )
        for role in request.user_information.roles
        if role.sop_class_uid in offers
    )
    return tuple(answers), roles


def accepted_contexts(
    request: AssociateRequest, accept: AssociateAccept, *, is_requestor: bool
) -> dict[int, AcceptedContext]:
    """The contexts both sides agreed on, by ID.

    An accepted context that was not proposed, or whose transfer syntax was not, is left out.
    Without role selection in both PDUs the requestor is SCU and the acceptor SCP.
    """
    proposed = {context.context_id: context for context in request.presentation_contexts}
    asked = {role.sop_class_uid: role for role in request.user_information.roles}
    granted = {role.sop_class_uid: role for role in accept.user_information.roles}
    contexts: dict[int, AcceptedContext] = {}
    for answered in accept.presentation_contexts:
        context = proposed.get(answered.context_id)
        if (
            context is None
            or answered.result != ContextResult.ACCEPTANCE
            or answered.transfer_syntax not in context.transfer_syntaxes
        ):
            continue
        wanted = asked.get(context.abstract_syntax)
        given = granted.get(context.abstract_syntax)
        requestor_scu, requestor_scp = True, False
        if wanted is not None and given is not None:
            requestor_scu = wanted.scu and given.scu
            requestor_scp = wanted.scp and given.scp
        contexts[answered.context_id] = AcceptedContext(
            id=answered.context_id,
            abstract_syntax=context.abstract_syntax,
            transfer_syntax=answered.transfer_syntax,
            as_scu=requestor_scu if is_requestor else requestor_scp,
            as_scp=requestor_scp if is_requestor else requestor_scu,
        )
    return contexts
