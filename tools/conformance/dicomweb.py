"""§3.5: PS3.18."""
# ruff: noqa: E501 - lines of the page are its own

from conformance.code_tables import routes
from conformance.markdown import listed, table
from negatoscope.domain.archive import metadata
from negatoscope.domain.viewing.documents import PRESENTATION_STATES
from negatoscope.entrypoints.dicomweb import capabilities, qido_rs, stow_metadata, wado_uri
from negatoscope.entrypoints.dicomweb.media_types import FRAME_MEDIA_TYPES, OCTET_STREAM
from negatoscope.entrypoints.dicomweb.ups_channel import (
    MAX_CHANNELS,
    MAX_CHANNELS_PER_TITLE,
    SEND_S,
)
from negatoscope.entrypoints.web.problems import PROBLEM_TYPES
from negatoscope.protocols.dicom.dataset.decode import TEXT_BULK_BYTES
from negatoscope.standard.sop_classes import (
    sop_class_name,
)
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES


def dicomweb() -> str:
    """PS3.18."""
    media = {
        uid: (media_type, TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid)
        for uid, media_type in FRAME_MEDIA_TYPES.items()
    }
    return f"""### 3.5 DICOMweb

Origin server at `/dicom-web`. Every request needs a bearer token (`Authorization: Bearer …`) or a session.

{table(("Methods", "Resource", "Transaction"), sorted(routes(), key=lambda row: (row[2], row[1])))}

**Capabilities.** `OPTIONS` of the service or of a resource: {listed(o.media_type for o in capabilities.OFFERS)}. Methods and media types:

{table(("Resource", "Method", "Takes", "Gives"), ((f"`/{one.template}`", method.name, listed(method.takes), listed(method.gives)) for one in capabilities.RESOURCES for method in one.methods))}

Of several media ranges the most specific one that covers a media type tells its quality (RFC 9110 §12.5.1); `accept` and `charset` of
the query stand for the headers. Text is UTF-8.

**Store.** Any number of parts in one request, streamed; 200 when all were stored, 202 when some, 409 when none; a Store Instances
Response Module per PS3.18 §I.2 with Failure Reason and Warning Reason as the statuses of §3.2.4.2. Part 10 files are durable one by one:
what is whole when a request breaks off stays stored; sending it again is harmless. Metadata and bulk data are stored when the body is
whole; octets become Explicit VR Little Endian, parts of a compressed media type the frames of encapsulated pixel data, in the transfer
syntax that the part names, (0002,0010) of the metadata, or else:

{table(("Media type", "Transfer syntax"), ((f"`{kind}`", TRANSFER_SYNTAXES[uid].name) for kind, uid in stow_metadata.DEFAULT_SYNTAXES.items()))}

**Search.** The keys of §3.2.4.3 by keyword, tag or a path of them into sequences; values of UI and CS keys as lists by comma, any key by
repetition; `includefield` (repeated, by comma, `all`), `fuzzymatching` (beginnings of words, without case and accents, not phonetic),
`emptyvaluematching`, `multiplevaluematching`, `limit`, `offset`; sorted by date, newest first, then by our own keys, the same under paging. More matches
than given, and match parameters that are not supported: a `Warning` header. At instance level any attribute of the objects, private ones
by tag, is matched and returned from their headers. Given without being asked for:

{table(("Level", "Attributes"), ((level.value, ", ".join(names)) for level, names in qido_rs.DEFAULT_ATTRIBUTES.items()))}

**Retrieve.** Every pixel value, every other binary or numeric value above {metadata.BULK_THRESHOLD_BYTES} bytes and every text above
{TEXT_BULK_BYTES} bytes is a BulkDataURI in metadata, at all depths. Bulk data are little endian and take byte ranges. Archives
(`application/zip`) hold Part 10 files, not compressed.

**Presentation states** are rendered on an image they refer to (PS3.4 §N.2); others are refused (406) with the reason:

{table(("SOP class", "What is applied"), ((sop_class_name(uid), text) for uid, text in PRESENTATION_STATES.items()))}

**WADO-URI** at `{wado_uri.PATH}` (§9), GET and HEAD:

{table(("Parameter", "Values"), ((f"`{name}`", text) for name, text in wado_uri.PARAMETERS.items()))}

Frames as stored are `{OCTET_STREAM}` for native pixel data and:

{table(("Transfer syntax", "UID", "Media type"), ((name, f"`{uid}`", f"`{kind}`") for uid, (kind, name) in media.items()))}

Frames of up to 16 bits per sample also as `image/jphc` in transfer syntax `1.2.840.10008.1.2.4.202` (lossless, RPCL), whatever they
are stored as, with byte ranges over the whole answer.

**Worklist** (UPS-RS, PS3.18 §11). Workitems as `application/dicom+json` or `application/dicom+xml`; behaviour and statuses as §3.2.4.6,
the DIMSE status of a refusal in `dicom_status`. Create takes the UID as `?1.2.3` or `?workitem=1.2.3`; Update takes the Transaction UID
as `?transaction=1.2.3` or in the body. Filters of a filtered subscription are query parameters, or pairs in `filter`. Event channel:
WebSocket at `/dicom-web/subscribers/{{aetitle}}`, with the same authentication; each event report is a text message in the DICOM JSON
model. Events that came while no channel was open are sent to the next one. A channel that takes nothing for {SEND_S:g} s is closed
(1013), at most {MAX_CHANNELS_PER_TITLE} channels an AE title and {MAX_CHANNELS} a process.

**Errors** are problem documents (RFC 9457) with a `code` that does not change:

{table(("Status", "`code`", "Meaning"), ((kind.status, f"`{code}`", kind.title) for code, kind in sorted(PROBLEM_TYPES.items(), key=lambda item: (item[1].status, item[0]))))}
"""
