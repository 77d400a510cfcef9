"""Paper of an examination: labels with their codes as PDF and ZPL, the letter of an appointment."""

from negatoscope.domain.performed.documents.model import Label, LabelSize, Letter, Sender
from negatoscope.domain.performed.documents.reading import (
    UnknownDocument,
    label_of_procedure,
    letter_of_appointment,
)
from negatoscope.domain.performed.documents.rendering import CannotRender, label_pdf, letter_pdf
from negatoscope.domain.performed.documents.zpl import label_zpl

__all__ = [
    "CannotRender",
    "Label",
    "LabelSize",
    "Letter",
    "Sender",
    "UnknownDocument",
    "label_of_procedure",
    "label_pdf",
    "label_zpl",
    "letter_of_appointment",
    "letter_pdf",
]
