"""What one DIMSE service tells the listener about itself.

A service lives in its own module (``storage_scp.py``, ``query_scp.py`` …) and is a function
``(association, message) -> None``: it reads the message's data set if there is one, does its work
and sends every response. It may raise; the listener then answers 0x0110 or aborts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.identity.model import Actor
from negatoscope.domain.identity.policies import Action
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField

ServiceHandler = Callable[[Association, Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One row of the listener's dispatch table.

    Attributes:
        name: For logs and metrics, ``storage``.
        abstract_syntaxes: SOP classes the service answers for.
        command_fields: Requests it answers.
        action: What the calling AE must be allowed to do for its contexts to be accepted.
        handle: The function.
        transfer_syntaxes: Accepted transfer syntaxes; None takes the first proposed, whatever it
            is: objects are kept as they come.
        takes_unknown_abstract_syntaxes: Private SOP classes, and those newer than our tables, are
            this service's too (storage).
        requestor_may_be_scp: Action the calling AE needs for its proposal of the SCP role to be
            accepted (C-GET: it receives C-STORE); None never accepts it.
        answer_extended_negotiation: From ``(sop_class_uid, information)`` to the answer, None to
            give none (PS3.7 §D.3.3.5).
        on_association_end: Called once in the association's thread when it is over, however it
            ended (a storing association gives its segment back).
    """

    name: str
    abstract_syntaxes: frozenset[str]
    command_fields: frozenset[CommandField]
    action: Action
    handle: ServiceHandler
    transfer_syntaxes: frozenset[str] | None = None
    takes_unknown_abstract_syntaxes: bool = False
    requestor_may_be_scp: Action | None = None
    answer_extended_negotiation: Callable[[str, bytes], bytes | None] | None = None
    on_association_end: Callable[[Association], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is at the other end of an association we accepted.

    Attributes:
        actor: For the policy and the audit trail.
        entity: Its row of the registry; None for an unknown one, which may only verify.
    """

    actor: Actor
    entity: ApplicationEntity | None


def caller_of(association: Association) -> Caller:
    """Who called, as the listener's policy found out."""
    principal = association.principal
    if isinstance(principal, Caller):
        return principal
    return Caller(actor=Actor.anonymous(association.calling_ae_title), entity=None)
