"""Public holidays of France and Alsace-Moselle, and a region that nobody knows."""

from datetime import date

import pytest

from negatoscope.domain.scheduling.holidays import public_holidays
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings


def names(region, first, last):
    """French names by day."""
    return {one.day: one.name_fr for one in public_holidays(region, first, last)}


def test_those_of_alsace_moselle_are_two_more():
    first, last = date(2027, 1, 1), date(2027, 12, 31)
    france, alsace = names("FR", first, last), names("FR-57", first, last)
    assert len(france) == 11
    assert france[date(2027, 3, 29)] == "Lundi de Pâques"
    assert {day: alsace[day] for day in alsace.keys() - france.keys()} == {
        date(2027, 3, 26): "Vendredi saint",
        date(2027, 12, 26): "Saint-Étienne",
    }
    assert names("FR", date(2026, 12, 25), date(2027, 1, 1)) == {
        date(2026, 12, 25): "Noël",
        date(2027, 1, 1): "Jour de l'an",
    }
    assert public_holidays("", first, last) == []
    (may,) = public_holidays("FR", date(2027, 5, 1), date(2027, 5, 1))
    assert may.name_en == "Labor Day"


@pytest.mark.parametrize("region", ["ZZ", "FR-99", "fr", "FRANCE"])
def test_a_region_that_is_not_known_is_refused_at_the_start(region, tmp_path, monkeypatch):
    monkeypatch.setenv("NEGATOSCOPE_PUBLIC_HOLIDAYS", region)
    with pytest.raises(ConfigurationError, match="public_holidays"):
        Settings.load(data_dir=tmp_path)
    monkeypatch.setenv("NEGATOSCOPE_PUBLIC_HOLIDAYS", "BE")
    assert Settings.load(data_dir=tmp_path).public_holidays == "BE"
