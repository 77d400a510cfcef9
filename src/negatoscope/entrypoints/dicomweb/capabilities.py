"""Retrieve Capabilities (PS3.18 §8.9): OPTIONS of a resource tells what can be done with it.

One table of the resources, their methods and media types. It is answered as WADL
(``application/vnd.sun.wadl+xml``, §8.9.3) or as JSON; of the base and of any path, what lies below it is
told too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

import orjson

from negatoscope.domain.viewing.rendering import IMAGE_TYPES
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    JSON,
    OCTET_STREAM,
    ZIP,
    Offer,
)
from negatoscope.entrypoints.dicomweb.rendered_parameters import PARAMETERS
from negatoscope.entrypoints.dicomweb.retrieve_common import ROOT, choose_offer
from negatoscope.entrypoints.dicomweb.wado_rs import root_url
from negatoscope.entrypoints.web.asgi import Request, Send, send_answer

WADL: Final = "application/vnd.sun.wadl+xml"
OFFERS: Final = (Offer(WADL), Offer(JSON), Offer("application/xml"))


@dataclass(frozen=True, slots=True)
class Method:
    """What a method of a resource does.

    Attributes:
        transaction: Its name in PS3.18.
        takes: Media types of the request's body.
        gives: Media types of the answer.
        parameters: Of the query.
    """

    name: str
    transaction: str
    gives: tuple[str, ...]
    takes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A URI template below the service, and its methods."""

    template: str
    methods: tuple[Method, ...]


def _multipart(media_type: str) -> str:
    return f'multipart/related; type="{media_type}"'


_DATA_SETS: Final = (DICOM_JSON, _multipart(DICOM_XML), JSON)
_OBJECTS: Final = (_multipart(DICOM), ZIP)
_SEARCH: Final = (
    "{attributeID}", "includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching",
    "limit", "offset", "accept", "charset",
)  # fmt: skip
_PIXELS: Final = (_multipart(OCTET_STREAM), _multipart("image/*"), _multipart("video/*"))
_STORE: Final = Method(
    "POST",
    "Store",
    (DICOM_JSON, DICOM_XML),
    takes=(
        _multipart(DICOM), _multipart(DICOM_JSON), _multipart(DICOM_XML), DICOM, DICOM_JSON, DICOM_XML,
    ),
)  # fmt: skip


def _get(transaction: str, gives: Sequence[str], *parameters: str) -> Method:
    return Method("GET", transaction, tuple(gives), parameters=("accept", *parameters))


_SEARCHES: Final = Method("GET", "Search", _DATA_SETS, parameters=_SEARCH)
_METADATA: Final = _get("Retrieve", _DATA_SETS, "charset")

_SHOWN: Final = Method("GET", "Retrieve", (*IMAGE_TYPES,), parameters=PARAMETERS)
_SHOWN_ALL: Final = Method(
    "GET",
    "Retrieve",
    (
        *IMAGE_TYPES,
        *("video/mp4", "video/mpeg", "application/pdf", "text/html", "text/plain", "text/xml"),
    ),
    parameters=PARAMETERS,
)
_LEVELS: Final = (
    "studies/{study}",
    "studies/{study}/series/{series}",
    "studies/{study}/series/{series}/instances/{instance}",
    "studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
)
_WORKITEM: Final = (DICOM_JSON, DICOM_XML, JSON)

RESOURCES: Final[tuple[Resource, ...]] = (
    Resource("studies", (_SEARCHES, _STORE)),
    Resource("series", (_SEARCHES,)),
    Resource("instances", (_SEARCHES,)),
    Resource("studies/{study}", (_get("Retrieve", _OBJECTS), _STORE)),
    Resource("studies/{study}/metadata", (_METADATA,)),
    Resource("studies/{study}/bulkdata", (_get("Retrieve", _PIXELS),)),
    Resource("studies/{study}/pixeldata", (_get("Retrieve", _PIXELS),)),
    Resource("studies/{study}/series", (_SEARCHES,)),
    Resource("studies/{study}/instances", (_SEARCHES,)),
    Resource("studies/{study}/series/{series}", (_get("Retrieve", _OBJECTS),)),
    Resource("studies/{study}/series/{series}/metadata", (_METADATA,)),
    Resource("studies/{study}/series/{series}/bulkdata", (_get("Retrieve", _PIXELS),)),
    Resource("studies/{study}/series/{series}/pixeldata", (_get("Retrieve", _PIXELS),)),
    Resource("studies/{study}/series/{series}/instances", (_SEARCHES,)),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}",
        (_get("Retrieve", (DICOM, *_OBJECTS)),),
    ),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}/metadata",
        (_get("Retrieve", (*_DATA_SETS, DICOM_XML), "charset"),),
    ),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}/bulkdata",
        (_get("Retrieve", _PIXELS),),
    ),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}/bulkdata/{reference}",
        (_get("Retrieve", (OCTET_STREAM, *_PIXELS)),),
    ),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}/pixeldata",
        (_get("Retrieve", _PIXELS),),
    ),
    Resource(
        "studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
        (_get("Retrieve", (OCTET_STREAM, *_PIXELS)),),
    ),
    *(Resource(f"{level}/rendered", (_SHOWN_ALL,)) for level in _LEVELS),
    *(Resource(f"{level}/thumbnail", (_SHOWN,)) for level in _LEVELS),
    Resource(
        "workitems",
        (
            Method("GET", "Search", _DATA_SETS, parameters=_SEARCH),
            Method("POST", "Create Workitem", (), takes=_WORKITEM, parameters=("workitem",)),
        ),
    ),
    Resource(
        "workitems/{workitem}",
        (
            _get("Retrieve Workitem", (*_DATA_SETS, DICOM_XML)),
            Method("POST", "Update Workitem", (), takes=_WORKITEM, parameters=("transaction",)),
        ),
    ),
    Resource(
        "workitems/{workitem}/state",
        (Method("PUT", "Change Workitem State", (), takes=_WORKITEM),),
    ),
    Resource(
        "workitems/{workitem}/cancelrequest",
        (Method("POST", "Request Cancellation", (), takes=_WORKITEM, parameters=("requester",)),),
    ),
    Resource(
        "workitems/{workitem}/subscribers/{aetitle}",
        (
            Method(
                "POST",
                "Create Subscription",
                (),
                parameters=("deletionlock", "filter", "{attributeID}"),
            ),
            Method("DELETE", "Delete Subscription", ()),
        ),
    ),
    Resource(
        "workitems/{workitem}/subscribers/{aetitle}/suspend",
        (Method("POST", "Suspend Global Subscription", ()),),
    ),
)
"""Every resource of the Studies service."""


def resources_at(path: str) -> list[Resource]:
    """The resource of a path and those below it.

    Args:
        path: Below the service, ``studies/1.2.3``; empty for the service.
    """
    given = [part for part in path.split("/") if part]
    return [one for one in RESOURCES if _is_below(one.template.split("/"), given)]


def _is_below(template: Sequence[str], given: Sequence[str]) -> bool:
    if len(template) < len(given):
        return template[-1] == "{reference}" and _is_below(template, given[: len(template)])
    return all(
        there.startswith("{") or there == here for there, here in zip(template, given, strict=False)
    )


async def send_capabilities(request: Request, send: Send, allow: bytes) -> None:
    """Answer OPTIONS.

    Raises:
        Problem: neither WADL nor JSON is accepted.
    """
    offer = choose_offer(request, OFFERS)
    base = root_url(request)
    found = resources_at(request.path.removeprefix(ROOT))
    body = _json(base, found) if offer.media_type == JSON else _wadl(base, found)
    headers = [
        (b"allow", allow),
        (b"content-type", offer.media_type.encode("ascii")),
        (b"cache-control", b"private, max-age=300"),
        (b"vary", b"accept, authorization"),
    ]
    await send_answer(send, 200, headers, body)


def _json(base: str, resources: Iterable[Resource]) -> bytes:
    return orjson.dumps(
        {
            "base": base,
            "resources": [
                {
                    "path": f"/{one.template}",
                    "methods": [
                        {
                            "name": method.name,
                            "transaction": method.transaction,
                            "takes": method.takes,
                            "gives": method.gives,
                            "parameters": method.parameters,
                        }
                        for method in one.methods
                    ],
                }
                for one in resources
            ],
        }
    )


def _wadl(base: str, resources: Iterable[Resource]) -> bytes:
    pieces = [
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<application xmlns="http://wadl.dev.java.net/2009/02"'
            ' xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f"<resources base={quoteattr(base + '/')}>"
        )
    ]
    for one in resources:
        pieces.append(f"<resource path={quoteattr(one.template)}>")
        pieces += (
            f'<param name="{name}" style="template" type="xs:string" required="true"/>'
            for name in re.findall(r"\{(\w+)\}", one.template)
        )
        for method in one.methods:
            pieces.append(
                f'<method name="{method.name}" id={quoteattr(_id(one, method))}><request>'
            )
            pieces += (
                f'<param name={quoteattr(name)} style="query" type="xs:string"/>'
                for name in method.parameters
            )
            pieces += map(_representation, method.takes)
            pieces.append("</request><response>")
            pieces += map(_representation, method.gives)
            pieces.append("</response></method>")
        pieces.append("</resource>")
    pieces.append("</resources></application>")
    return "".join(pieces).encode("utf-8")


def _id(resource: Resource, method: Method) -> str:
    return f"{method.transaction}-{re.sub(r'[^a-z]+', '-', resource.template).strip('-')}"


def _representation(media_type: str) -> str:
    return f"<representation mediaType={quoteattr(media_type)}/>"
