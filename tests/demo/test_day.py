"""The demonstration's day has something in every state around now, and the images of what was done."""

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from negatoscope.demo.catalogue import load_catalogue
from negatoscope.demo.day import Day, _images
from negatoscope.domain.orders import StepState
from negatoscope.domain.performed import Board, BoardFilter
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.kit.days import day_bounds

PARIS = ZoneInfo("Europe/Paris")
TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SUNDAY_NIGHT = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)


def test_a_working_day_and_a_night_are_alive(database):
    load_catalogue(database)
    for now, fewest in ((TUESDAY, 60), (SUNDAY_NIGHT, 6)):
        made = Day(database, Rules(zone=PARIS), now=now).make()
        begins, ends = day_bounds(now.astimezone(PARIS).date(), PARIS)
        rows = Board(database).day(BoardFilter(begins=begins, ends=ends), now=now).rows
        states = Counter(row.state for row in rows)
        assert len(rows) >= fewest
        assert states[StepState.COMPLETED] > 0
        assert states[StepState.SCHEDULED] > 0
        assert {row.study_instance_uid for row in rows} >= {
            one.plan.study_instance_uid
            for one in made
            if one.plan.study_date == f"{now.astimezone(PARIS):%Y%m%d}"
        }
        for row in rows:
            assert row.ended_at is None or row.ended_at <= now
    image = next(iter(_images(made[0])), b"")
    assert not image or image[128:132] == b"DICM"
