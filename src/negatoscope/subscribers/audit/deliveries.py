"""Objects that arrived: from the outbox into the trail."""

from collections.abc import Mapping
from typing import Any

import psycopg

from negatoscope.domain.identity import Action, Actor
from negatoscope.infra.events import Event
from negatoscope.subscribers.audit.trail import record_in


def on_instances_stored(connection: psycopg.Connection[Any], event: Event) -> None:
    """Record that somebody stored objects of a study: one row per sender, study and minute.

    Runs in the transaction that takes the event out of the outbox, so that each event counts once
    however often it is delivered.
    """
    payload = event.payload
    actor = _actor(payload)
    study = str(payload.get("study_instance_uid") or "")
    minute = int(event.created_at.timestamp()) // 60
    peer = payload.get("peer")
    association = payload.get("association")
    record_in(
        connection,
        actor=actor,
        action=Action.STORE,
        study_instance_uid=study or None,
        peer=None if peer is None else str(peer),
        door={"ae": "dimse", "system": actor.name}.get(actor.kind, "archive"),
        detail={} if association is None else {"association": association},
        count=int(payload.get("count") or 1),
        coalesce_key="|".join(
            (actor.kind, actor.name, str(peer or ""), "store", study, str(minute))
        ),
    )


def _actor(payload: Mapping[str, Any]) -> Actor:
    ae_title = str(payload.get("calling_ae_title") or "")
    name = str(payload.get("actor_name") or "")
    if ae_title:
        return Actor(kind="ae", name=ae_title)
    if name == "command line":  # an import; no account has a space in its name
        return Actor.system(name)
    if name:
        return Actor(kind="user", name=name)
    return Actor.system("archive")
