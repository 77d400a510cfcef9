"""Verification Service Class as SCP (PS3.4 Annex A): C-ECHO."""

from negatoscope.domain.identity.policies import Action
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, c_echo_rsp
from negatoscope.standard.sop_classes import VERIFICATION
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


def echo(association: Association, message: Message) -> None:
    """Answers success: we are here."""
    association.send_message(message.context.id, c_echo_rsp(message.command))


VERIFICATION_SERVICE = Service(
    name="verification",
    abstract_syntaxes=frozenset({VERIFICATION}),
    command_fields=frozenset({CommandField.C_ECHO_RQ}),
    action=Action.VERIFY,
    handle=echo,
    transfer_syntaxes=frozenset(TRANSFER_SYNTAXES),
)
