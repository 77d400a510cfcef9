"""The rooms, devices, people and procedures of the demonstration department.

Some thirty modalities, as a university hospital has them. Codes are those of the CCAM; labels are ours,
as they stand on appointment letters. Loading again changes nothing of what somebody changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from typing import TYPE_CHECKING, Any, Final

from negatoscope.domain.scheduling.catalogue import (
    Catalogue,
    Contrast,
    Procedure,
    ProtocolCode,
    SafetyQuestion,
)
from negatoscope.domain.scheduling.resources import Hours, Resource, ResourceKind, Resources

if TYPE_CHECKING:
    import psycopg

    from negatoscope.infra.db import Database

WEEK: Final = (1, 2, 3, 4, 5)
_EVENING: Final = ((WEEK, 7, 30, 20, 0), ((6,), 8, 0, 13, 0))
_OFFICE: Final = ((WEEK, 8, 0, 12, 30), (WEEK, 13, 30, 18, 0))
_LONG: Final = ((WEEK, 8, 0, 18, 0),)
_MORNING: Final = ((WEEK, 8, 0, 13, 0),)
_ALWAYS: Final = (((1, 2, 3, 4, 5, 6, 7), 0, 0, 23, 59),)


@dataclass(frozen=True, slots=True)
class _Room:
    """A room with a device in it."""

    name: str
    location: str
    device: str
    modality: str
    ae_title: str
    hours: tuple[tuple[tuple[int, ...], int, int, int, int], ...] = _OFFICE


_GROUND: Final = "Bâtiment A, rez-de-chaussée"
_FIRST: Final = "Bâtiment A, 1er étage"
_EMERGENCY: Final = "Urgences"
ROOMS: Final = (
    _Room("Scanner 1", _GROUND, "CT Revolution 1", "CT", "CT1", _EVENING),
    _Room("Scanner 2", _GROUND, "CT Revolution 2", "CT", "CT2", _LONG),
    _Room("Scanner 3 (interventionnel)", _FIRST, "CT Aquilion", "CT", "CT3", _LONG),
    _Room("Scanner urgences", _EMERGENCY, "CT Somatom", "CT", "CT4", _ALWAYS),
    _Room("IRM 1 (1,5 T)", _GROUND, "MR Aera", "MR", "MR1", _EVENING),
    _Room("IRM 2 (3 T)", _GROUND, "MR Prisma", "MR", "MR2", _EVENING),
    _Room("IRM 3 (1,5 T)", "Bâtiment B, sous-sol", "MR Ingenia", "MR", "MR3", _LONG),
    *(
        _Room(f"Échographie {n}", _FIRST, f"US Aplio {n}", "US", f"US{n}", _OFFICE)
        for n in range(1, 6)
    ),
    _Room("Échographie 6 (Doppler)", _FIRST, "US Epiq 6", "US", "US6", _LONG),
    _Room("Échographie 7 (sein)", "Bâtiment C, sénologie", "US Resona 7", "US", "US7", _OFFICE),
    _Room("Échographie 8 (pédiatrie)", "Bâtiment D, pédiatrie", "US Logiq 8", "US", "US8"),
    _Room("Échographie urgences", _EMERGENCY, "US Venue", "US", "US9", _ALWAYS),
    _Room("Échographie mobile", "Services", "US Sonosite", "US", "US10", _LONG),
    _Room("Radiographie 1", _GROUND, "DX Definium 1", "DX", "DX1", _LONG),
    _Room("Radiographie 2", _GROUND, "DX Definium 2", "DX", "DX2", _LONG),
    _Room("Radiographie urgences", _EMERGENCY, "DX Ysio", "DX", "DX3", _ALWAYS),
    _Room("Radiographie mobile", "Services", "DX Mobilett", "DX", "DX4", _ALWAYS),
    _Room("Radioscopie", _GROUND, "RF Luminos", "RF", "RF1", _OFFICE),
    _Room("Mammographie 1", "Bâtiment C, sénologie", "MG Senographe", "MG", "MG1", _OFFICE),
    _Room("Mammographie 2", "Bâtiment C, sénologie", "MG Selenia", "MG", "MG2", _OFFICE),
    _Room("Angiographie 1", _FIRST, "XA Artis", "XA", "XA1", _LONG),
    _Room("Angiographie 2", _FIRST, "XA Azurion", "XA", "XA2", _ALWAYS),
    _Room("Gamma-caméra 1", "Bâtiment B, médecine nucléaire", "NM Symbia", "NM", "NM1", _LONG),
    _Room("Gamma-caméra 2", "Bâtiment B, médecine nucléaire", "NM Discovery", "NM", "NM2"),
    _Room("TEP-scanner", "Bâtiment B, médecine nucléaire", "PT Vision", "PT", "PT1", _LONG),
    _Room("Panoramique dentaire", _GROUND, "PX Orthophos", "PX", "PX1", _MORNING),
    _Room("Ostéodensitométrie", _GROUND, "BMD Lunar", "BMD", "BMD1", _MORNING),
)
STAFF: Final = (
    ("Dr Élodie Delmas", "RADIOLOGIST"),
    ("Dr Karim Benali", "RADIOLOGIST"),
    ("Dr Hélène Vasseur", "RADIOLOGIST"),
    ("Dr Paul Le Meur", "RADIOLOGIST"),
    ("Dr Inès Rocher", "NUCLEAR PHYSICIAN"),
    ("Dr Thomas Aubry", "ANAESTHETIST"),
    ("Sophie Maillard", "TECHNOLOGIST"),
    ("Mehdi Charef", "TECHNOLOGIST"),
    ("Julie Fontaine", "TECHNOLOGIST"),
    ("Lucas Perrin", "TECHNOLOGIST"),
    ("Anaïs Guérin", "TECHNOLOGIST"),
    ("Nathalie Colin", "NURSE"),
)

_FASTING_FR: Final = "À jeun depuis 4 heures. Apportez le dosage de créatinine de moins de 3 mois."
_FASTING_EN: Final = "Fast for 4 hours. Bring a creatinine result less than 3 months old."
_MAGNET_FR: Final = (
    "Signalez tout stimulateur, implant ou éclat métallique. Retirez tout objet métallique."
)
_MAGNET_EN: Final = "Tell us of any pacemaker, implant or metal fragment. Remove all metal objects."
_BLADDER_FR: Final = "Vessie pleine : buvez un demi-litre d'eau une heure avant."
_BLADDER_EN: Final = "Full bladder: drink half a litre of water one hour before."
_EMPTY_FR: Final = "À jeun depuis 6 heures, sans fumer."
_EMPTY_EN: Final = "Fast for 6 hours, do not smoke."
_PRIOR_FR: Final = "Apportez vos examens antérieurs."
_PRIOR_EN: Final = "Bring your earlier examinations."
_STILL_FR: Final = "L'injection a lieu avant les images : prévoyez l'attente indiquée."
_STILL_EN: Final = "The injection comes before the images: allow for the waiting time."
_FDG_FR: Final = "À jeun depuis 6 heures, eau permise. Pas d'effort la veille. Signalez un diabète."
_FDG_EN: Final = "Fast for 6 hours, water allowed. No exertion the day before. Tell us of diabetes."
_ARTERY_FR: Final = (
    "À jeun depuis 6 heures. Bilan de coagulation récent. Un accompagnant pour le retour."
)
_ARTERY_EN: Final = "Fast for 6 hours. Recent coagulation tests. Somebody to take you home."

_PREGNANCY: Final = SafetyQuestion.PREGNANCY
_INJECTED: Final = (SafetyQuestion.CONTRAST_REACTION, SafetyQuestion.RENAL_FUNCTION)
_MAGNET: Final = (SafetyQuestion.PREGNANCY, SafetyQuestion.MR_IMPLANTS)


def _ct(
    code: str, fr: str, en: str, part: str, minutes: int, *, injected: bool, vet: bool = False
) -> Procedure:
    return Procedure(
        code_value=code,
        label_fr=fr,
        label_en=en,
        modality="CT",
        body_part_examined=part,
        duration_min=minutes,
        contrast=Contrast.REQUIRED if injected else Contrast.NONE,
        contrast_agent="Iohexol 350 mg I/mL" if injected else "",
        safety_questions=(_PREGNANCY, *_INJECTED) if injected else (_PREGNANCY,),
        preparation_fr=_FASTING_FR if injected else _PRIOR_FR,
        preparation_en=_FASTING_EN if injected else _PRIOR_EN,
        needs_vetting=injected or vet,
        protocols=(ProtocolCode(code_value=f"CT-{part}"[:16], code_meaning=fr[:64]),),
    )


def _mr(
    code: str, fr: str, en: str, part: str, minutes: int, *, injected: bool = False
) -> Procedure:
    return Procedure(
        code_value=code,
        label_fr=fr,
        label_en=en,
        modality="MR",
        body_part_examined=part,
        duration_min=minutes,
        contrast=Contrast.REQUIRED if injected else Contrast.NONE,
        contrast_agent="Gadotérate 0,5 mmol/mL" if injected else "",
        safety_questions=(*_MAGNET, *_INJECTED) if injected else _MAGNET,
        preparation_fr=_MAGNET_FR,
        preparation_en=_MAGNET_EN,
        needs_vetting=True,
        protocols=(ProtocolCode(code_value=f"MR-{part}"[:16], code_meaning=fr[:64]),),
    )


def _us(  # noqa: PLR0917 - a line of the table below
    code: str, fr: str, en: str, part: str, minutes: int, preparation: tuple[str, str] = ("", "")
) -> Procedure:
    return Procedure(
        code_value=code,
        label_fr=fr,
        label_en=en,
        modality="US",
        body_part_examined=part,
        duration_min=minutes,
        preparation_fr=preparation[0],
        preparation_en=preparation[1],
    )


def _dx(  # noqa: PLR0917 - a line of the table below
    code: str, fr: str, en: str, part: str, minutes: int = 10, modality: str = "DX"
) -> Procedure:
    return Procedure(
        code_value=code,
        label_fr=fr,
        label_en=en,
        modality=modality,
        body_part_examined=part,
        duration_min=minutes,
        safety_questions=(_PREGNANCY,),
    )


def _other(  # noqa: PLR0917 - a line of the table below
    code: str, fr: str, en: str, modality: str, part: str, minutes: int, **more: Any
) -> Procedure:
    return replace(_dx(code, fr, en, part, minutes, modality), **more)


_FULL: Final = (_BLADDER_FR, _BLADDER_EN)
_EMPTY: Final = (_EMPTY_FR, _EMPTY_EN)
_ARTERY: Final = {
    "contrast": Contrast.REQUIRED,
    "contrast_agent": "Iohexol 300 mg I/mL",
    "safety_questions": (_PREGNANCY, *_INJECTED),
    "preparation_fr": _ARTERY_FR,
    "preparation_en": _ARTERY_EN,
    "needs_vetting": True,
}
_TRACER: Final = {"preparation_fr": _STILL_FR, "preparation_en": _STILL_EN, "needs_vetting": True}
_FDG: Final = {"preparation_fr": _FDG_FR, "preparation_en": _FDG_EN, "needs_vetting": True}
_PRIOR: Final = {"preparation_fr": _PRIOR_FR, "preparation_en": _PRIOR_EN}
_SWALLOWED: Final = {
    "contrast": Contrast.REQUIRED,
    "contrast_agent": "Sulfate de baryum",
    "preparation_fr": _EMPTY_FR,
    "preparation_en": _EMPTY_EN,
}
PROCEDURES: Final = (
    _ct("ACQK001", "Scanner cérébral", "Head CT", "HEAD", 15, injected=False),
    _ct("ACQH003", "Scanner cérébral injecté", "Head CT with contrast", "HEAD", 20, injected=True),
    _ct("EBQH004", "Angioscanner cervico-cérébral", "CT angiography head and neck", "HEADNECK", 25, injected=True),
    _ct("LAQK013", "Scanner de la face", "Facial CT", "FACE", 15, injected=False),
    _ct("LAQK002", "Scanner des rochers", "Temporal bone CT", "IAC", 20, injected=False),
    _ct("LCQH001", "Scanner du cou injecté", "Neck CT with contrast", "NECK", 20, injected=True),
    _ct("ZBQK001", "Scanner thoracique", "Chest CT", "CHEST", 15, injected=False),
    _ct("ZBQH001", "Scanner thoracique injecté", "Chest CT with contrast", "CHEST", 20, injected=True),
    _ct("ECQH010", "Angioscanner thoracique", "CT angiography of the chest", "CHEST", 20, injected=True),
    _ct("ECQH011", "Angioscanner de l'aorte", "CT angiography of the aorta", "AORTA", 30, injected=True),
    _ct("ZCQK004", "Scanner abdomino-pelvien", "Abdomen and pelvis CT", "ABDOMENPELVIS", 15, injected=False),
    _ct("ZCQH001", "Scanner abdomino-pelvien injecté", "Abdomen and pelvis CT with contrast", "ABDOMENPELVIS", 25, injected=True),
    _ct("ZZQH033", "Scanner TAP injecté", "Chest, abdomen and pelvis CT with contrast", "CHESTABDPELVIS", 30, injected=True),
    _ct("HHQK484", "Coloscanner à l'air", "CT colonography", "COLON", 40, injected=False, vet=True),
    _ct("LHQK001", "Scanner du rachis", "Spine CT", "SPINE", 15, injected=False),
    _ct("MZQK002", "Scanner du membre supérieur", "Upper limb CT", "ARM", 15, injected=False),
    _ct("NZQK002", "Scanner du membre inférieur", "Lower limb CT", "LEG", 15, injected=False),
    _ct("NZQH002", "Arthroscanner du genou", "Knee CT arthrography", "KNEE", 45, injected=True),
    _ct("EMQH001", "Angioscanner des membres inférieurs", "CT angiography of the legs", "LEG", 30, injected=True),
    _mr("ACQN001", "IRM cérébrale", "Brain MR", "BRAIN", 25),
    _mr("ACQJ002", "IRM cérébrale injectée", "Brain MR with contrast", "BRAIN", 35, injected=True),
    _mr("EAQJ001", "Angio-IRM cérébrale", "MR angiography of the brain", "BRAIN", 30, injected=True),
    _mr("LHQN001", "IRM du rachis lombaire", "Lumbar spine MR", "LSPINE", 25),
    _mr("LHQJ001", "IRM du rachis injectée", "Spine MR with contrast", "SPINE", 40, injected=True),
    _mr("LHQN002", "IRM du rachis entier", "Whole spine MR", "SPINE", 45),
    _mr("MZQN001", "IRM de l'épaule", "Shoulder MR", "SHOULDER", 30),
    _mr("NZQN001", "IRM du genou", "Knee MR", "KNEE", 25),
    _mr("DZQN002", "IRM cardiaque", "Cardiac MR", "HEART", 60, injected=True),
    _mr("ZCQJ004", "IRM du foie injectée", "Liver MR with contrast", "LIVER", 40, injected=True),
    _mr("ZCQN002", "Cholangio-IRM", "MR cholangiopancreatography", "BILEDUCT", 30),
    _mr("ZCQJ005", "IRM abdomino-pelvienne injectée", "Abdomen and pelvis MR with contrast", "ABDOMENPELVIS", 45, injected=True),
    _mr("QEQJ001", "IRM mammaire", "Breast MR", "BREAST", 35, injected=True),
    _mr("LAQN001", "IRM de la face", "Facial MR", "FACE", 30),
    _us("ZCQM008", "Échographie abdominale", "Abdominal ultrasound", "ABDOMEN", 20, _EMPTY),
    _us("ZCQM010", "Échographie abdomino-pelvienne", "Abdomen and pelvis ultrasound", "ABDOMENPELVIS", 30, _FULL),
    _us("ZCQM003", "Échographie pelvienne", "Pelvic ultrasound", "PELVIS", 20, _FULL),
    _us("JAQM003", "Échographie rénale", "Kidney ultrasound", "KIDNEY", 20, _FULL),
    _us("JDQM001", "Échographie vésico-prostatique", "Bladder and prostate ultrasound", "PROSTATE", 20, _FULL),
    _us("JHQM001", "Échographie des bourses", "Scrotal ultrasound", "SCROTUM", 20),
    _us("KCQM001", "Échographie thyroïdienne", "Thyroid ultrasound", "THYROID", 20),
    _us("QEQM001", "Échographie mammaire", "Breast ultrasound", "BREAST", 20),
    _us("PBQM003", "Échographie articulaire", "Joint ultrasound", "JOINT", 20),
    _us("PCQM001", "Échographie musculo-tendineuse", "Muscle and tendon ultrasound", "EXTREMITY", 20),
    _us("NEQM001", "Échographie des hanches du nouveau-né", "Newborn hip ultrasound", "HIP", 15),
    _us("AAQM002", "Échographie transfontanellaire", "Transfontanellar ultrasound", "HEAD", 20),
    _us("EBQM001", "Doppler des troncs supra-aortiques", "Carotid Doppler", "NECK", 30),
    _us("EDQM001", "Doppler artériel des membres inférieurs", "Leg artery Doppler", "LEG", 30),
    _us("EJQM004", "Doppler veineux des membres inférieurs", "Leg vein Doppler", "LEG", 25),
    _us("ELQM001", "Doppler des vaisseaux digestifs", "Abdominal vessel Doppler", "ABDOMEN", 30, _EMPTY),
    _us("DZQM006", "Échographie cardiaque", "Echocardiography", "HEART", 30),
    _us("GFQM001", "Échographie thoracique", "Chest ultrasound", "CHEST", 15),
    _us("ZZQM004", "Échographie au lit", "Bedside ultrasound", "ABDOMEN", 20),
    _dx("ZBQK002", "Radiographie du thorax", "Chest radiograph", "CHEST"),
    _dx("ZCQK002", "Radiographie de l'abdomen", "Abdominal radiograph", "ABDOMEN"),
    _dx("NAQK015", "Radiographie du bassin", "Pelvic radiograph", "PELVIS"),
    _dx("LDQK001", "Radiographie du rachis cervical", "Cervical spine radiograph", "CSPINE"),
    _dx("LFQK002", "Radiographie du rachis lombaire", "Lumbar spine radiograph", "LSPINE", 15),
    _dx("LHQK004", "Téléradiographie du rachis", "Whole spine radiograph", "SPINE", 20),
    _dx("MAQK003", "Radiographie de l'épaule", "Shoulder radiograph", "SHOULDER"),
    _dx("MFQK002", "Radiographie du coude", "Elbow radiograph", "ELBOW"),
    _dx("MGQK003", "Radiographie du poignet", "Wrist radiograph", "WRIST"),
    _dx("MDQK001", "Radiographie de la main", "Hand radiograph", "HAND"),
    _dx("NEQK010", "Radiographie de la hanche", "Hip radiograph", "HIP"),
    _dx("NFQK001", "Radiographie du genou", "Knee radiograph", "KNEE"),
    _dx("NGQK001", "Radiographie de la cheville", "Ankle radiograph", "ANKLE"),
    _dx("NDQK001", "Radiographie du pied", "Foot radiograph", "FOOT"),
    _dx("ZZQK002", "Radiographie au lit", "Bedside radiograph", "CHEST", 15),
    _dx("PAQK002", "Âge osseux", "Bone age", "HAND"),
    _other("HEQH002", "Transit œso-gastro-duodénal", "Barium swallow", "RF", "ESOPHAGUS", 30, **_SWALLOWED),
    _other("HGQH002", "Transit du grêle", "Small bowel follow-through", "RF", "SMALLINTESTINE", 60, **_SWALLOWED),
    _other("JDQH001", "Cystographie rétrograde", "Retrograde cystography", "RF", "BLADDER", 40, contrast=Contrast.REQUIRED),
    _other("QEQK001", "Mammographie bilatérale", "Bilateral mammography", "MG", "BREAST", 20, **_PRIOR),
    _other("QEQK004", "Mammographie de dépistage", "Screening mammography", "MG", "BREAST", 15, **_PRIOR),
    _other("EBQH002", "Artériographie cérébrale", "Cerebral angiography", "XA", "HEAD", 90, **_ARTERY),
    _other("DDQH009", "Coronarographie", "Coronary angiography", "XA", "HEART", 60, **_ARTERY),
    _other("DGQH001", "Artériographie des membres inférieurs", "Leg arteriography", "XA", "LEG", 90, **_ARTERY),
    _other("PAQL003", "Scintigraphie osseuse", "Bone scintigraphy", "NM", "WHOLEBODY", 45, **_TRACER),
    _other("KCQL003", "Scintigraphie thyroïdienne", "Thyroid scintigraphy", "NM", "THYROID", 40, **_TRACER),
    _other("DAQL010", "Scintigraphie myocardique d'effort", "Stress myocardial scintigraphy", "NM", "HEART", 90, **_TRACER),
    _other("GFQL006", "Scintigraphie pulmonaire", "Lung scintigraphy", "NM", "LUNG", 60, **_TRACER),
    _other("JAQL002", "Scintigraphie rénale", "Kidney scintigraphy", "NM", "KIDNEY", 45, **_TRACER),
    _other("ZZQL016", "TEP au FDG du corps entier", "Whole body FDG PET", "PT", "WHOLEBODY", 90, **_FDG),
    _other("ACQL002", "TEP cérébrale", "Brain PET", "PT", "BRAIN", 60, **_FDG),
    _other("HBQK002", "Panoramique dentaire", "Dental panoramic radiograph", "PX", "JAW", 10),
    _other("PAQK007", "Ostéodensitométrie", "Bone densitometry", "BMD", "LSPINE", 20),
)  # fmt: skip

_PREFERRED: Final = {
    "QEQM001": "Échographie 7 (sein)",
    "NEQM001": "Échographie 8 (pédiatrie)",
    "AAQM002": "Échographie 8 (pédiatrie)",
    "ZZQM004": "Échographie mobile",
    "ZZQK002": "Radiographie mobile",
    "DZQN002": "IRM 2 (3 T)",
    "NZQH002": "Scanner 3 (interventionnel)",
}
_ONLY: Final = {
    "ZZQM004": ("Échographie mobile",),
    "ZZQK002": ("Radiographie mobile",),
    "NEQM001": ("Échographie 8 (pédiatrie)",),
    **dict.fromkeys(
        ("EBQM001", "EDQM001", "EJQM004", "ELQM001"), ("Échographie 6 (Doppler)", "Échographie 5")
    ),
}


def load_catalogue(database: Database) -> int:
    """Put the department's rooms, devices, people and procedures in; what is there stays.

    Returns: How many entries were new.
    """
    with database.connection() as connection:
        return _load_resources(connection) + _load_procedures(connection)


def _load_resources(connection: psycopg.Connection[Any]) -> int:
    kept = Resources(connection)
    known = {(one.kind, one.name) for one in kept.every()}
    count = 0
    for room in ROOMS:
        if (ResourceKind.ROOM, room.name) in known:
            continue
        place = kept.add(
            Resource(
                kind=ResourceKind.ROOM, name=room.name, location=room.location, hours=_hours(room)
            )
        )
        kept.add(
            Resource(
                kind=ResourceKind.DEVICE,
                name=room.device,
                location=room.location,
                room=place.id,
                modality=room.modality,
                ae_title=room.ae_title,
                station_name=room.ae_title,
            )
        )
        count += 2
    for name, profession in STAFF:
        if (ResourceKind.STAFF, name) not in known:
            kept.add(Resource(kind=ResourceKind.STAFF, name=name, profession=profession))
            count += 1
    return count


def _load_procedures(connection: psycopg.Connection[Any]) -> int:
    kept = Catalogue(connection)
    known = {one.code_value for one in kept.every()}
    rooms = {one.name: one.id for one in Resources(connection).every(kind=ResourceKind.ROOM)}
    count = 0
    for one in PROCEDURES:
        if one.code_value in known:
            continue
        only = _ONLY.get(one.code_value, ())
        preferred = _PREFERRED.get(one.code_value)
        kept.add(
            replace(
                one,
                rooms=tuple(rooms[name] for name in only if name in rooms),
                default_room=None if preferred is None else rooms.get(preferred),
            )
        )
        count += 1
    return count


def _hours(room: _Room) -> tuple[Hours, ...]:
    return tuple(
        Hours(weekday=day, opens=time(from_hour, from_minute), closes=time(to_hour, to_minute))
        for days, from_hour, from_minute, to_hour, to_minute in room.hours
        for day in days
    )
