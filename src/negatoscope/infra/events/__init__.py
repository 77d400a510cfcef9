"""The outbox: events that commit with the change they tell of."""

from negatoscope.infra.events.outbox import CHANNEL, Event, publish

__all__ = ["CHANNEL", "Event", "publish"]
