"""An index full of plausible studies that do not exist, to measure and to test queries.

Rows only: their segment has no file, so nothing of it can be retrieved. French names, procedures
and working hours; what a column holds is spread as in a general hospital, so that the planner
meets realistic statistics. The same seed gives the same index.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import psycopg

from negatoscope.infra.db import Database
from negatoscope.kit.text import fold

_BLOCK: Final = 5_000  # studies per COPY
_YEARS: Final = 8
_STUDIES_PER_PATIENT: Final = 1.8
_LAST_DAY: Final = date(2026, 1, 31)
_EXPLICIT: Final = "1.2.840.10008.1.2.1"

_FAMILIES: Final = """
Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux David
Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure André Mercier
Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry
Roussel Mathieu Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard
Giraud Joly Rivière Lucas Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin
Vidal Caron Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey
Leclerc Payet Rolland Leclercq Guillaume Lecomte López Jean Dupuy Guillot Hubert Berger Carpentier Sánchez Dupuis
Moulin Louis Deschamps Huet Vasseur Pérez Boucher Fleury Royer Klein Jacquet Adam Paris Poirier Marty Aubry
Guyot Carré Charles Renault Charpentier Ménard Maillard Baron Bertin Bailly Hervé Schneider Fernández Le^Gall
Collet Léger Bouvier Julien Prévost Millet Perrot Daniel Le^Roux Cousin Germain Breton Besson Langlois Rémy
Le^Goff Pelletier Lévêque Perrier Leblanc Barré Lebrun Marchal Weber Mallet Hamon Boulanger Jacob Monnier Michaud
Rodríguez Guichard Gillet Étienne Grondin Poulain Tessier Chevallier Collin Chauvin Da^Silva Bouchet Gay Lemaître
Bénard Maréchal Humbert Reynaud Antoine Hoarau Perret Barthélemy Cordier Pichon Lejeune Gilbert Lamy Delaunay
Pasquier Carlier Laporte Gros Buisson Briand Coulon Alexandre Œuvrard Lœuillet D'Hondt N'Diaye Ben^Salem
"""
_WOMEN: Final = """
Marie Jeanne Françoise Monique Catherine Nathalie Isabelle Jacqueline Anne Sylvie Martine Madeleine
Nicole Suzanne Hélène Christine Marguerite Denise Louise Yvonne Christiane Valérie Sandrine Stéphanie
Véronique Sophie Céline Chantal Patricia Anne-Marie Brigitte Julie Aurélie Émilie Zoé Chloé Inès Léa
Manon Camille Élodie Fatima Khadija Aïcha Maëlle
"""
_MEN: Final = """
Jean Pierre Michel André Philippe Louis René Alain Jacques Bernard Marcel Daniel Roger Robert Paul
Claude Christian Henri Georges Nicolas François Patrick Gérard Christophe Joseph Julien Maurice
Laurent Frédéric Éric David Stéphane Pascal Sébastien Jean-Pierre Jean-Claude Thomas Hugo Léo Noël
Mathéo Mohamed Karim Aurélien Anaël
"""
_STEMS: Final = """
Abad Albr Amad Arch Bard Bass Beau Belm Bic Blond Bonn Bord Bouv Bris Cail Camb Cass Chab Chamb Chast Clav
Cord Coud Crép Dalb Delm Desm Doub Drou Escu Ferr Flam Font Fouch Gaub Glén Gour Grav Gril Hauss Héric Jaub
Lab Lafarg Lanth Maub Mont Nogu Palm Peyr Quer Rabin Sabat Sauv Taill Tourn Vach Vern Viell Zim
"""
_ENDINGS: Final = """
aud eau el elin ena ent er ère et etier ette eux ez iac iard icot ier ières ieu ignac ille in ine is
iot on onnet or ot oux uc uin ult ussel uy
"""
_COMMON_NAMES: Final = tuple(_FAMILIES.split())
_RARER_NAMES: Final = tuple(stem + ending for stem in _STEMS.split() for ending in _ENDINGS.split())
_GIVEN_NAMES: Final = {"F": tuple(_WOMEN.split()), "M": tuple(_MEN.split())}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    weight: int
    modality: str
    sop_class: str
    rows: int
    columns: int
    series: tuple[int, int]
    exams: tuple[tuple[str, str], ...]  # description, body part


_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_KINDS: Final = (
    _Kind(weight=40, modality="DX", sop_class=f"{_STORAGE}1.1", rows=3000, columns=2500,
          series=(1, 2), exams=(("Radiographie thorax face", "CHEST"), ("Genou face et profil", "KNEE"),
                                ("Bassin de face", "PELVIS"), ("Main gauche", "HAND"),
                                ("Rachis lombaire", "LSPINE"))),
    _Kind(weight=25, modality="CT", sop_class=f"{_STORAGE}2", rows=512, columns=512,
          series=(2, 6), exams=(("Scanner thoracique", "CHEST"), ("TDM abdomino-pelvienne", "ABDOMEN"),
                                ("Scanner cérébral sans injection", "HEAD"), ("Angioscanner pulmonaire", "CHEST"),
                                ("Uroscanner", "ABDOMEN"))),
    _Kind(weight=15, modality="MR", sop_class=f"{_STORAGE}4", rows=384, columns=384,
          series=(4, 8), exams=(("IRM encéphalique", "BRAIN"), ("IRM du genou", "KNEE"),
                                ("IRM lombaire", "LSPINE"), ("Entéro-IRM", "ABDOMEN"))),
    _Kind(weight=12, modality="US", sop_class=f"{_STORAGE}6.1", rows=768, columns=1024,
          series=(1, 2), exams=(("Échographie abdominale", "ABDOMEN"), ("Doppler veineux", "LEG"),
                                ("Échographie obstétricale T2", "UTERUS"))),
    _Kind(weight=6, modality="MG", sop_class=f"{_STORAGE}1.2", rows=3328, columns=2560,
          series=(1, 1), exams=(("Mammographie de dépistage", "BREAST"),)),
    _Kind(weight=1, modality="NM", sop_class=f"{_STORAGE}20", rows=256, columns=256,
          series=(1, 3), exams=(("Scintigraphie osseuse", "WHOLEBODY"),)),
    _Kind(weight=1, modality="XA", sop_class=f"{_STORAGE}12.1", rows=512, columns=512,
          series=(2, 8), exams=(("Coronarographie", "HEART"),)),
)  # fmt: skip
_CUMULATED: Final = tuple(accumulate(kind.weight for kind in _KINDS))

_COLUMNS: Final = {
    "patient": "id, patient_id, issuer_of_patient_id, patient_name, patient_name_folded, patient_birth_date,"
    " patient_sex, study_count",
    "study": "id, patient_fk, study_instance_uid, study_date, study_time, accession_number, study_id,"
    " study_description, study_description_folded, referring_physician_name, referring_physician_name_folded,"
    " modalities_in_study, sop_classes_in_study, series_count, instance_count, byte_count, settled_at",
    "series": "id, study_fk, series_instance_uid, modality, series_number,"
    " body_part_examined, series_date, series_time, series_description, station_name, institution_name,"
    " instance_count, byte_count",
    "instance": 'series_fk, segment_fk, segment_offset, size, pixel_offset, data_set_offset, sop_class,'
    ' transfer_syntax, instance_number, number_of_frames, frame_length, "rows", "columns", bits_allocated,'
    " sop_instance_uid, sha256",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCounts:
    """Rows written."""

    patients: int
    studies: int
    series: int
    instances: int


def fill_index(
    database: Database,
    studies: int,
    *,
    instances_per_series: tuple[int, int] = (1, 3),
    seed: int = 2026,
) -> IndexCounts:
    """Add studies to an index, in one transaction per 5,000, and gather its statistics.

    Args:
        database: The index, migrated; empty or not.
        studies: How many to add.
        instances_per_series: Fewest and most; `(10, 30)` gives some 55 per study.
        seed: Of everything random.
    """
    with database.connection() as connection:
        maker = _Maker(connection, studies, instances_per_series, seed)
        # What people search by is written at the end, for all: row by row it takes longer than the rest.
        connection.execute("ALTER TABLE study DISABLE TRIGGER study_search_added")
        connection.execute("ALTER TABLE series DISABLE TRIGGER study_search_series")
        first = _next_id(connection, "study")
    made = dict.fromkeys(_COLUMNS, 0)
    for block in maker.blocks():
        with database.connection() as connection, connection.cursor() as cursor:
            for table, rows in block.items():
                made[table] += len(rows)
                with cursor.copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as copy:
                    copy.write("\n".join(rows) + "\n" if rows else "")
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO study_search SELECT r.*"
            " FROM study_search_row(ARRAY(SELECT id FROM study WHERE id >= %s)) r"
            " ON CONFLICT DO NOTHING",
            (first,),
        )
        connection.execute("ALTER TABLE study ENABLE TRIGGER study_search_added")
        connection.execute("ALTER TABLE series ENABLE TRIGGER study_search_series")
        for table in ("patient", "study", "series"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
    with database.connect() as connection:
        connection.execute("VACUUM (ANALYZE) patient, study, study_search, series, instance")
    return IndexCounts(
        patients=made["patient"],
        studies=made["study"],
        series=made["series"],
        instances=made["instance"],
    )


class _Maker:
    """Makes the rows, as lines of COPY's text format."""

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        studies: int,
        instances_per_series: tuple[int, int],
        seed: int,
    ) -> None:
        self._studies = studies
        self._instances = instances_per_series
        self._ids = {table: _next_id(connection, table) for table in ("patient", "study", "series")}
        self._random = random.Random(seed + self._ids["study"])
        uids = [kind.sop_class for kind in _KINDS] + [_EXPLICIT]
        connection.execute(
            "INSERT INTO uid_code (uid) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (uids,)
        )
        self._codes = dict(connection.execute("SELECT uid, id FROM uid_code").fetchall())
        found = connection.execute(
            "INSERT INTO segment (name, volume, state) VALUES (%s, 'synthetic', 'SEALED')"
            " ON CONFLICT (name) DO UPDATE SET volume = 'synthetic' RETURNING id",
            ("0" * 26,),
        ).fetchone()
        self._segment = found[0] if found else 0
        self._offset = 0

    def blocks(self) -> Iterator[dict[str, list[str]]]:
        """Rows of every table, some thousand studies at a time, in the order of foreign keys."""
        left = self._studies
        while left:
            block: dict[str, list[str]] = {table: [] for table in _COLUMNS}
            room = min(left, _BLOCK)
            left -= room
            while room:
                count = min(room, 1 + int(self._random.expovariate(1 / (_STUDIES_PER_PATIENT - 1))))
                self._patient(block, count)
                room -= count
            yield block

    def _patient(self, block: dict[str, list[str]], studies: int) -> None:
        draw = self._random
        key = self._take("patient")
        sex = "F" if draw.random() < 0.53 else "M"
        family = draw.choice(_COMMON_NAMES if draw.random() < 0.25 else _RARER_NAMES)
        name = f"{family.replace('^', ' ')}^{draw.choice(_GIVEN_NAMES[sex])}"
        born = _LAST_DAY - timedelta(days=int(draw.triangular(30, 36_000, 22_000)))
        block["patient"].append(
            f"{key}\t{1_000_000 + key}\tCHU\t{name}\t{_fold(name)}\t{born}\t{sex}\t{studies}"
        )
        for _ in range(studies):
            self._study(block, key)

    def _study(self, block: dict[str, list[str]], patient: int) -> None:
        draw = self._random
        key = self._take("study")
        kind = _KINDS[bisect(_CUMULATED, draw.randrange(_CUMULATED[-1]))]
        description, part = draw.choice(kind.exams)
        day = _LAST_DAY - timedelta(days=draw.randrange(_YEARS * 365))
        if day.weekday() > 4 and draw.random() < 0.7:
            day -= timedelta(days=2)
        hour = int(draw.triangular(0, 24, 11))
        time = f"{hour:02d}{draw.randrange(60):02d}{draw.randrange(60):02d}"
        physician = f"{_COMMON_NAMES[draw.randrange(80)]}^{draw.choice(_GIVEN_NAMES['F'])}"
        instances = size = 0
        series = draw.randint(*kind.series)
        for number in range(1, series + 1):
            count = self._series(block, key, kind, number, f"{part}\t{day}\t{time}")
            instances += count
            size += count * self._size(kind)
        block["study"].append(
            f"{key}\t{patient}\t{self._uid()}\t{day}\t{time}\tA{10_000_000 + key}\tE{key}"
            f"\t{description}\t{_fold(description)}\t{physician}\t{_fold(physician)}"
            f"\t{{{kind.modality}}}\t{{{kind.sop_class}}}\t{series}\t{instances}\t{size}\tnow"
        )

    def _series(
        self, block: dict[str, list[str]], study: int, kind: _Kind, number: int, part_and_when: str
    ) -> int:
        key = self._take("series")
        count = self._random.randint(*self._instances)
        size = self._size(kind)
        block["series"].append(
            f"{key}\t{study}\t{self._uid()}\t{kind.modality}\t{number}\t{part_and_when}"
            f"\tSérie {number}\t{kind.modality}{key % 3 + 1}\tCHU de démonstration\t{count}\t{count * size}"
        )
        fixed = f"{size}\t1500\t400\t{self._codes[kind.sop_class]}\t{self._codes[_EXPLICIT]}"
        pixels = f"1\t{kind.rows * kind.columns * 2}\t{kind.rows}\t{kind.columns}\t16"
        for instance in range(1, count + 1):
            digest = self._random.randbytes(32).hex()
            block["instance"].append(
                f"{key}\t{self._segment}\t{self._offset}\t{fixed}\t{instance}\t{pixels}"
                f"\t{self._uid()}\t\\\\x{digest}"
            )
            self._offset += size + 1024
        return count

    def _size(self, kind: _Kind) -> int:
        return kind.rows * kind.columns * 2 + 2048

    def _uid(self) -> str:
        return f"2.25.{self._random.getrandbits(122)}"

    def _take(self, table: str) -> int:
        key = self._ids[table]
        self._ids[table] = key + 1
        return key


_fold = lru_cache(maxsize=65_536)(fold)


def _next_id(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> int:
    row = connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()
    return int(row[0]) if row else 1
