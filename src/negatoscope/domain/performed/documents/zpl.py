"""Labels for printers that speak ZPL II: the same traits and codes, in the printer's own dots."""

from zoneinfo import ZoneInfo

from negatoscope.domain.performed.documents import wording
from negatoscope.domain.performed.documents.model import Label, LabelSize

_LONGEST = 80


def label_zpl(
    label: Label, size: LabelSize, *, dots_per_mm: int, zone: ZoneInfo, copies: int = 1
) -> bytes:
    """One label, ``copies`` times, in UTF-8 (``^CI28``).

    Args:
        dots_per_mm: Of the printer: 8 (203 dpi), 12 (300 dpi), 24 (600 dpi).
    """

    def dots(mm: float) -> int:
        return round(mm * dots_per_mm)

    width, height = dots(size.width_mm), dots(size.height_mm)
    left = dots(2)
    column = width - dots(2) * 2
    matrix = dots(14)
    start = "" if label.start_at is None else f"{label.start_at.astimezone(zone):%d/%m/%Y %H:%M}"
    traits = f"{wording.date_of_birth(label.birth_date)}  {label.sex}  IPP {label.patient_id}"
    lines = (
        (2.0, 3.6, label.birth_name, column - matrix),
        (6.0, 3.2, label.first_birth_name, column - matrix),
        (9.6, 2.6, traits, column - matrix),
        (12.6, 2.6, f"util. {label.used_name}" if label.used_name else "", column - matrix),
        (size.height_mm * 0.46, 2.4, f"{label.modality} {label.procedure}", column),
        (size.height_mm * 0.46 + 2.8, 2.4, f"{start}  {label.requesting_service}", column),
    )
    parts = ["^XA", "^CI28", f"^PW{width}", f"^LL{height}", "^LH0,0", f"^PQ{max(1, copies)}"]
    for top, tall, text, wide in lines:
        if text.strip():
            parts.append(
                f"^FO{left},{dots(top)}^A0N,{dots(tall)},{dots(tall)}^FB{wide},1,0,L,0{_data(text)}"
            )
    parts.append(
        f"^FO{width - matrix},{dots(2)}^BXN,{max(2, dots(0.42))},200{_data(label.matrix_text)}"
    )
    parts.append(
        f"^FO{left},{dots(size.height_mm * 0.63)}^BY{max(1, dots(0.25))}"
        f"^BCN,{dots(size.height_mm * 0.2)},Y,N,N,A{_data(label.accession_number)}"
    )
    parts.append("^XZ")
    return "\n".join(parts).encode("utf-8") + b"\n"


def _data(text: str) -> str:
    """Field data: what the printer would take for a command is written in hexadecimal (``^FH``)."""
    clean = "".join(one if one.isprintable() else " " for one in text[:_LONGEST])
    escaped = "".join(f"_{ord(one):02X}" if one in "^~_\\" else one for one in clean)
    return f"^FH^FD{escaped}^FS"
