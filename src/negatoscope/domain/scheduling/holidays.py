"""Public holidays of a country or a part of it."""

import threading
from datetime import date
from functools import lru_cache

from negatoscope.domain.scheduling.model import Holiday
from negatoscope.infra.errors import ConfigurationError


def public_holidays(region: str, first: date, last: date) -> list[Holiday]:
    """The public holidays of a range of days, in order.

    Args:
        region: ISO 3166: ``FR``, ``FR-57`` (Alsace-Moselle: Good Friday and Saint Stephen's day
            too); empty: none are kept.
        first: The first day.
        last: The last one.

    Raises:
        ConfigurationError: nothing is known of the region.
    """
    if not region:
        return []
    found = [
        one
        for year in range(first.year, last.year + 1)
        for one in _of_year(region, year)
        if first <= one.day <= last
    ]
    return sorted(found, key=lambda one: one.day)


def warm(region: str) -> None:
    """Read this year's on a thread: the library loads every country, which takes a second the first time."""
    if region:
        year = date.today().year  # noqa: DTZ011 - any year does
        threading.Thread(target=_of_year, args=(region, year), name="holidays", daemon=True).start()


@lru_cache(maxsize=64)
def _of_year(region: str, year: int) -> tuple[Holiday, ...]:
    import holidays as library

    country, _, subdivision = region.partition("-")
    try:
        french, english = (
            library.country_holidays(
                country, subdiv=subdivision or None, years=year, language=language
            )
            for language in ("fr", "en_US")
        )
    except NotImplementedError as error:
        raise ConfigurationError(
            f"the public holidays of {region} are not known",
            hint="setting public_holidays: FR, FR-57 (Alsace-Moselle) or empty, for instance.",
        ) from error
    return tuple(
        Holiday(day=day, name_fr=name, name_en=english.get(day, name))
        for day, name in french.items()
    )
