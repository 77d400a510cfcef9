"""What the routes share: who asks, and the base of the schemas."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict

from negatoscope.domain.archive import visibility
from negatoscope.domain.archive.listing import Visible
from negatoscope.domain.identity import Action, Actor
from negatoscope.entrypoints.web.access import unauthenticated
from negatoscope.entrypoints.web.problems import Problem

if TYPE_CHECKING:
    from negatoscope.domain.archive.listing import StudyList
    from negatoscope.domain.archive.overview import Overview
    from negatoscope.domain.archive.patients import Patients
    from negatoscope.entrypoints.api.streams import Streams
    from negatoscope.entrypoints.web import asgi
    from negatoscope.entrypoints.web.access import Caller
    from negatoscope.entrypoints.web.services import Services


class Schema(BaseModel):
    """Base of what is sent and received: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, frozen=True)


class Asking:
    """One request: who asks, with what it works.

    Attributes:
        services: The public faces.
        overview: Lists for people.
        streams: Who is told of what happens.
        study_list: The list of studies.
        patients: Patients with their studies.
        request: As the server gave it.
        caller: Who, and by which session; None of somebody who has not signed in.
    """

    def __init__(self, request: Request) -> None:
        self.services: Services = request.app.state.services
        self.overview: Overview = request.app.state.overview
        self.study_list: StudyList = request.app.state.study_list
        self.streams: Streams = request.app.state.streams
        self.patients: Patients = request.app.state.patients
        self.request: asgi.Request = request.scope["negatoscope.request"]
        self.caller: Caller | None = request.scope.get("negatoscope.caller")

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.request.actor

    @property
    def visible(self) -> Visible:
        """Which studies who asks may know of, as a condition of the lists."""
        sql, parameters = visibility.condition(self.actor.data_scope, study="s", patient="p").named(
            "seen"
        )
        return Visible(sql=sql, parameters=parameters)

    def require(self, action: Action, study_instance_uid: str | None = None) -> None:
        """Ask the policy.

        Raises:
            Forbidden: it says no.
        """
        self.services.access.require(self.actor, action, study_instance_uid=study_instance_uid)

    async def require_study(self, action: Action, study_instance_uid: str) -> None:
        """Ask the policy about a study that the path does not name.

        Raises:
            Forbidden: it says no.
        """
        await self.services.access.require_study(self.actor, action, study_instance_uid)

    async def note(self, action: str, **detail: Any) -> None:
        """Note a change in the audit trail."""
        await self.services.access.note(self.request, action, detail=detail)


async def _anyone(request: Request) -> Asking:
    return Asking(request)


async def _asking(request: Request) -> Asking:
    asking = Asking(request)
    if asking.caller is None:
        raise unauthenticated()
    return asking


async def _administering(request: Request) -> Asking:
    asking = await _asking(request)
    asking.require(Action.ADMINISTER)
    return asking


async def _owning(request: Request) -> Asking:
    asking = await _asking(request)
    session = None if asking.caller is None else asking.caller.session
    if session is None or session.actor.user_id is None:
        raise Problem("forbidden", detail="A session of an account is needed.")
    return asking


def to(action: Action) -> Any:
    """A dependency: for who may do that; everybody else is refused before the body is looked at."""

    async def asking(request: Request) -> Asking:
        found = await _asking(request)
        found.require(action)
        return found

    return Depends(asking)


Anyone = Annotated[Asking, Depends(_anyone)]
"""Signed in or not: the routes of signing in, nothing else."""
Ask = Annotated[Asking, Depends(_asking)]
Own = Annotated[Asking, Depends(_owning)]
"""Somebody with an account, by a session: not by a token, nor by a link."""
Administer = Annotated[Asking, Depends(_administering)]
"""The same for who may administer; everybody else is refused before the body is looked at."""
