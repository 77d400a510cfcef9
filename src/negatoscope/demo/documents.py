"""Reports, key object selections and documents of the demonstration department."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    KeyObjectSelectionDocumentStorage,
)

from negatoscope.demo.objects import SeriesPlan, code, header, part10, reference, sequence
from negatoscope.demo.people import INSTITUTION_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORT_SECTIONS = {
    "indication": (("121060", "DCM", "History"), ("18785-6", "LN", "Indication")),
    "technique": (("121064", "DCM", "Current Procedure Descriptions"), ("121065", "DCM", "Text")),
    "findings": (("121070", "DCM", "Findings"), ("121071", "DCM", "Finding")),
    "conclusion": (("121076", "DCM", "Conclusions"), ("121077", "DCM", "Conclusion")),
}


def text_report(
    series: SeriesPlan,
    *,
    sections: dict[str, str],
    images: Sequence[tuple[SeriesPlan, str, int]],
) -> bytes:
    """A Basic Text SR (PS3.3 §A.35.1) with the template of a basic diagnostic report (TID 2000).

    Args:
        sections: text of each section, by name in `REPORT_SECTIONS`.
        images: evidence: the series, SOP class and instance number of each image.
    """
    data_set = _document(series, BasicTextSRStorage)
    data_set.CompletionFlag = "COMPLETE"
    data_set.VerificationFlag = "VERIFIED"
    observer = Dataset()
    observer.VerifyingObserverName = series.study.reading_physician_name
    observer.VerifyingObserverIdentificationCodeSequence = sequence()
    observer.VerifyingOrganization = INSTITUTION_NAME
    observer.VerificationDateTime = series.study.study_date + series.study.time_after(
        series.starts_after_s
    )
    data_set.VerifyingObserverSequence = sequence(observer)
    data_set.ConceptNameCodeSequence = sequence(code("18748-4", "LN", "Diagnostic Imaging Report"))
    data_set.CurrentRequestedProcedureEvidenceSequence = _evidence(series, images)

    language = _item("HAS CONCEPT MOD", "CODE", code("121049", "DCM", "Language of Content Item"))
    language.ConceptCodeSequence = sequence(code("fr", "RFC5646", "French"))
    content = [language]
    for name, text in sections.items():
        heading, concept = REPORT_SECTIONS[name]
        section = _item("CONTAINS", "CONTAINER", code(*heading))
        section.ContinuityOfContent = "SEPARATE"
        paragraph = _item("CONTAINS", "TEXT", code(*concept))
        paragraph.TextValue = text
        section.ContentSequence = sequence(paragraph)
        content.append(section)
    data_set.ContentSequence = sequence(*content)
    return part10(data_set)


def key_object_selection(
    series: SeriesPlan, *, images: Sequence[tuple[SeriesPlan, str, int]], description: str
) -> bytes:
    """A Key Object Selection Document (PS3.3 §A.35.4) of the images that illustrate the report."""
    data_set = _document(series, KeyObjectSelectionDocumentStorage)
    data_set.ConceptNameCodeSequence = sequence(code("113000", "DCM", "Of Interest"))
    template = Dataset()
    template.MappingResource = "DCMR"
    template.TemplateIdentifier = "2010"
    data_set.ContentTemplateSequence = sequence(template)
    data_set.CurrentRequestedProcedureEvidenceSequence = _evidence(series, images)
    text = _item("CONTAINS", "TEXT", code("113012", "DCM", "Key Object Description"))
    text.TextValue = description
    content = [text]
    for plan, sop_class_uid, number in images:
        image = _item("CONTAINS", "IMAGE", None)
        image.ReferencedSOPSequence = sequence(
            reference(sop_class_uid, plan.sop_instance_uid(number))
        )
        content.append(image)
    data_set.ContentSequence = sequence(*content)
    return part10(data_set)


def encapsulated_pdf(series: SeriesPlan, *, title: str, lines: Sequence[str]) -> bytes:
    """An Encapsulated PDF (PS3.3 §A.45.1) of one page."""
    data_set = header(series, EncapsulatedPDFStorage, 1)
    data_set.ConversionType = "WSD"
    data_set.ContentDate = series.study.study_date
    data_set.ContentTime = series.study.time_after(series.starts_after_s)
    data_set.AcquisitionDateTime = ""
    data_set.BurnedInAnnotation = "YES"
    data_set.DocumentTitle = title
    data_set.ConceptNameCodeSequence = sequence(code("18748-4", "LN", "Diagnostic Imaging Report"))
    data_set.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document = pdf_page(title, lines)
    data_set.EncapsulatedDocumentLength = len(document)
    data_set.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return part10(data_set)


def pdf_page(title: str, lines: Sequence[str]) -> bytes:
    """A PDF 1.4 document of one A4 page of text in Helvetica (ISO 32000-1)."""

    def literal(text: str) -> bytes:
        raw = text.encode("cp1252", "replace")
        return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")

    drawing = [b"BT", b"/F1 16 Tf", b"56 780 Td", b"(%s) Tj" % literal(title), b"/F1 11 Tf"]
    drawing.append(b"0 -34 Td")
    for line in lines:
        drawing += [b"(%s) Tj" % literal(line), b"0 -16 Td"]
    drawing.append(b"ET")
    stream = b"\n".join(drawing)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
            b" /Resources << /Font << /F1 4 0 R >> >> >>"
        ),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    document = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        document += b"%010d 00000 n \n" % offset
    document += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
    )
    return bytes(document)


def _document(series: SeriesPlan, sop_class_uid: str) -> Dataset:
    """Header of an SR document with an empty root container (PS3.3 §C.17.2, §C.17.3)."""
    data_set = header(series, sop_class_uid, 1)
    data_set.ContentDate = series.study.study_date
    data_set.ContentTime = series.study.time_after(series.starts_after_s)
    data_set.ReferencedPerformedProcedureStepSequence = sequence()
    data_set.PerformedProcedureCodeSequence = sequence()
    data_set.ValueType = "CONTAINER"
    data_set.ContinuityOfContent = "SEPARATE"
    if sop_class_uid == KeyObjectSelectionDocumentStorage:
        del data_set.PerformedProcedureCodeSequence
    return data_set


def _item(relationship: str, value_type: str, concept: Dataset | None) -> Dataset:
    """One content item (PS3.3 §C.17.3)."""
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    if concept is not None:
        item.ConceptNameCodeSequence = sequence(concept)
    return item


def _evidence(
    series: SeriesPlan, images: Sequence[tuple[SeriesPlan, str, int]]
) -> Sequence[Dataset]:
    """Current Requested Procedure Evidence Sequence (0040,A375): the images, by series."""
    by_series: dict[str, Dataset] = {}
    for plan, sop_class_uid, number in images:
        item = by_series.get(plan.series_instance_uid)
        if item is None:
            item = Dataset()
            item.SeriesInstanceUID = plan.series_instance_uid
            item.ReferencedSOPSequence = sequence()
            by_series[plan.series_instance_uid] = item
        item.ReferencedSOPSequence.append(reference(sop_class_uid, plan.sop_instance_uid(number)))
    study = Dataset()
    study.StudyInstanceUID = series.study.study_instance_uid
    study.ReferencedSeriesSequence = sequence(*by_series.values())
    return sequence(study)
