"""How other programs reach this server: addresses, commands to copy."""

from typing import Literal

from fastapi import APIRouter

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Ask, Schema
from negatoscope.entrypoints.web.addresses import Addresses
from negatoscope.entrypoints.web.ohif.installation import Installed
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["addresses"])


class CommandGroup(Schema):
    """Commands for one purpose, in the order in which they are useful."""

    purpose: Literal["register", "send", "find", "fetch"]
    commands: list[str]


class Reached(Schema):
    """Where this server is reached by whom asked."""

    ae_title: str
    dicom_host: str
    dicom_port: int
    http: str
    """``scheme://host:port``."""
    dicomweb: str
    has_ohif: bool
    """Whether the other viewer is installed at ``/ohif``."""
    commands: list[CommandGroup]


@router.get("/addresses")
async def get_addresses(ask: Ask) -> Reached:
    """Addresses of DICOM and DICOMweb, and what to type to send, find and fetch."""
    ask.require(Action.QUERY)
    origin: str = ask.request.scope["negatoscope.origin"]
    settings = ask.services.settings
    found = Addresses.of(settings, origin)
    ohif = await run_blocking(Installed(settings.data_dir).current)
    return Reached(
        ae_title=found.ae_title,
        dicom_host=found.dicom_host,
        dicom_port=found.dicom_port,
        http=origin,
        dicomweb=f"{origin}/dicom-web",
        has_ohif=ohif is not None,
        commands=[
            CommandGroup(purpose="register", commands=found.register()),
            CommandGroup(purpose="send", commands=found.send()),
            CommandGroup(purpose="find", commands=found.find()),
            CommandGroup(purpose="fetch", commands=found.fetch()),
        ],
    )
