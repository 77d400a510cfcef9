"""Names of segments and of their fields, English and French.

English names are those of HL7 v2.5.1 (chapters 2, 3, 4, 6, 7, 10, 14) and IHE PAM, French ones those in use in
the French documents of IHE PAM and HL7 France, shortened. A position without a name is shown by its number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple


class Name(NamedTuple):
    """In both languages."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A segment.

    Attributes:
        name: Its own.
        fields: Of its fields, the first one first; empty where there is none.
    """

    name: Name
    fields: tuple[Name, ...]


_NAMES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "MSH": (
        "Message Header",
        "En-tête du message",
        (
            "Field Separator|Encoding Characters|Sending Application|Sending Facility|Receiving Application"
            "|Receiving Facility|Date/Time of Message|Security|Message Type|Message Control ID|Processing ID|Version ID"
            "|Sequence Number|Continuation Pointer|Accept Acknowledgment Type|Application Acknowledgment Type"
            "|Country Code|Character Set|Principal Language of Message|Alternate Character Set Handling Scheme"
            "|Message Profile Identifier"
        ),
        (
            "Séparateur de champs|Caractères d’encodage|Application émettrice|Établissement émetteur"
            "|Application destinataire|Établissement destinataire|Date et heure du message|Sécurité|Type de message"
            "|Identifiant de contrôle|Mode de traitement|Version|Numéro de séquence|Pointeur de suite"
            "|Accusé de réception demandé|Accusé applicatif demandé|Pays|Jeu de caractères|Langue"
            "|Traitement des jeux de caractères|Profil du message"
        ),
    ),
    "MSA": (
        "Message Acknowledgment",
        "Acquittement",
        (
            "Acknowledgment Code|Message Control ID|Text Message|Expected Sequence Number|Delayed Acknowledgment Type"
            "|Error Condition"
        ),
        (
            "Code d’acquittement|Identifiant du message acquitté|Texte|Numéro de séquence attendu"
            "|Acquittement différé|Condition d’erreur"
        ),
    ),
    "ERR": (
        "Error",
        "Erreur",
        (
            "Error Code and Location|Error Location|HL7 Error Code|Severity|Application Error Code"
            "|Application Error Parameter|Diagnostic Information|User Message"
        ),
        (
            "Code et lieu de l’erreur|Lieu de l’erreur|Code d’erreur HL7|Gravité|Code d’erreur applicatif"
            "|Paramètre|Diagnostic|Message pour l’utilisateur"
        ),
    ),
    "EVN": (
        "Event Type",
        "Événement",
        (
            "Event Type Code|Recorded Date/Time|Date/Time Planned Event|Event Reason Code|Operator ID|Event Occurred"
            "|Event Facility"
        ),
        "Code de l’événement|Date d’enregistrement|Date prévue|Motif|Opérateur|Date de survenue|Établissement",
    ),
    "PID": (
        "Patient Identification",
        "Identité du patient",
        (
            "Set ID|Patient ID|Patient Identifier List|Alternate Patient ID|Patient Name|Mother's Maiden Name"
            "|Date/Time of Birth|Administrative Sex|Patient Alias|Race|Patient Address|County Code|Phone Number - Home"
            "|Phone Number - Business|Primary Language|Marital Status|Religion|Patient Account Number|SSN Number"
            "|Driver's License Number|Mother's Identifier|Ethnic Group|Birth Place|Multiple Birth Indicator|Birth Order"
            "|Citizenship|Veterans Military Status|Nationality|Patient Death Date and Time|Patient Death Indicator"
            "|Identity Unknown Indicator|Identity Reliability Code|Last Update Date/Time|Last Update Facility"
        ),
        (
            "Numéro|Identifiant (ancien champ)|Identifiants du patient|Autre identifiant|Noms du patient"
            "|Nom de jeune fille de la mère|Date de naissance|Sexe|Alias|Origine|Adresses|Comté|Téléphone personnel"
            "|Téléphone professionnel|Langue|Situation familiale|Religion|Numéro de dossier administratif"
            "|Numéro de sécurité sociale|Permis de conduire|Identifiant de la mère|Groupe ethnique|Lieu de naissance"
            "|Naissance multiple|Rang de naissance|Citoyenneté|Statut militaire|Nationalité|Date du décès"
            "|Patient décédé|Identité inconnue|Fiabilité de l’identité|Dernière mise à jour"
            "|Établissement de la mise à jour"
        ),
    ),
    "PD1": ("Patient Additional Demographic", "Compléments d’identité", "", ""),
    "ROL": (
        "Role",
        "Rôle",
        "Role Instance ID|Action Code|Role|Role Person",
        "Identifiant|Action|Rôle|Personne",
    ),
    "MRG": (
        "Merge Patient Information",
        "Identité fusionnée",
        (
            "Prior Patient Identifier List|Prior Alternate Patient ID|Prior Patient Account Number|Prior Patient ID"
            "|Prior Visit Number|Prior Alternate Visit ID|Prior Patient Name"
        ),
        (
            "Anciens identifiants|Autre ancien identifiant|Ancien numéro de dossier|Ancien identifiant (ancien champ)"
            "|Ancien numéro de venue|Autre ancien numéro de venue|Ancien nom"
        ),
    ),
    "NK1": (
        "Next of Kin",
        "Personne à prévenir",
        "Set ID|Name|Relationship|Address|Phone Number|Business Phone Number",
        "Numéro|Nom|Lien|Adresse|Téléphone|Téléphone professionnel",
    ),
    "PV1": (
        "Patient Visit",
        "Venue",
        (
            "Set ID|Patient Class|Assigned Patient Location|Admission Type|Preadmit Number|Prior Patient Location"
            "|Attending Doctor|Referring Doctor|Consulting Doctor|Hospital Service|Temporary Location"
            "|Preadmit Test Indicator|Re-admission Indicator|Admit Source|Ambulatory Status|VIP Indicator"
            "|Admitting Doctor|Patient Type|Visit Number|Financial Class||||||||||||||||Discharge Disposition"
            "|Discharged to Location|||||Pending Location|Prior Temporary Location|Admit Date/Time"
            "|Discharge Date/Time"
        ),
        (
            "Numéro|Catégorie de patient|Localisation|Type d’admission|Numéro de pré-admission"
            "|Localisation précédente|Médecin responsable|Médecin adresseur|Médecin consulté|Spécialité"
            "|Localisation temporaire|Examen avant admission|Réadmission|Origine|État du patient|Confidentialité"
            "|Médecin d’admission|Type de patient|Numéro de venue|Catégorie tarifaire||||||||||||||||Mode de sortie"
            "|Destination|||||Localisation à venir|Localisation temporaire précédente|Date d’admission"
            "|Date de sortie"
        ),
    ),
    "PV2": ("Patient Visit - Additional Information", "Venue, compléments", "", ""),
    "ZBE": (
        "Movement (IHE PAM)",
        "Mouvement (IHE PAM)",
        (
            "Movement ID|Start of Movement|End of Movement|Action|Historical Movement|Original Trigger Event"
            "|Responsible Medical Ward|Responsible Nursing Ward|Nature of Movement"
        ),
        (
            "Identifiant du mouvement|Début|Fin|Action|Mouvement historique|Événement d’origine"
            "|UF médicale|UF de soins|Nature du mouvement"
        ),
    ),
    "ZFA": (
        "Patient's DMP Status (French extension)",
        "Statut du DMP",
        "Status|Date of Status|Closing Date||||||Objection to Feeding|Date|Objection to Reading|Date",
        (
            "Statut|Date du statut|Date de fermeture||||||Opposition à l’alimentation|Date"
            "|Opposition à la consultation|Date"
        ),
    ),
    "ZFD": (
        "Additional Demographics (French extension)",
        "Compléments démographiques",
        (
            "Lunar Date|Weeks of Gestation|Consent to SMS|Corrected Date of Birth|Acquired By|Date of INSi Call"
            "|Identity Document|End of Validity"
        ),
        (
            "Date lunaire|Semaines de gestation|Accord pour les SMS|Date de naissance corrigée"
            "|Mode d’obtention de l’identité|Date de l’appel à INSi|Justificatif d’identité|Fin de validité"
        ),
    ),
    "ZFV": ("Additional Visit (French extension)", "Compléments de venue", "", ""),
    "ZFM": ("PMSI Movement (French extension)", "Mouvement PMSI", "", ""),
    "ORC": (
        "Common Order",
        "Demande",
        (
            "Order Control|Placer Order Number|Filler Order Number|Placer Group Number|Order Status|Response Flag"
            "|Quantity/Timing|Parent Order|Date/Time of Transaction|Entered By|Verified By|Ordering Provider"
            "|Enterer's Location|Call Back Phone Number|Order Effective Date/Time|Order Control Code Reason"
            "|Entering Organization|Entering Device|Action By|Advanced Beneficiary Notice Code|Ordering Facility Name"
            "|Ordering Facility Address|Ordering Facility Phone Number|Ordering Provider Address"
            "|Order Status Modifier"
        ),
        (
            "Nature de l’ordre|Numéro du demandeur|Numéro de l’exécutant|Groupe du demandeur|État de la demande"
            "|Réponse attendue|Quantité, horaire|Demande parente|Date de la transaction|Saisi par|Vérifié par"
            "|Prescripteur|Lieu de saisie|Téléphone de rappel|Date d’effet|Motif|Unité de saisie|Poste de saisie"
            "|Action par|Notification au bénéficiaire|Établissement demandeur|Adresse de l’établissement"
            "|Téléphone de l’établissement|Adresse du prescripteur|Précision de l’état"
        ),
    ),
    "OBR": (
        "Observation Request",
        "Examen demandé",
        (
            "Set ID|Placer Order Number|Filler Order Number|Universal Service Identifier|Priority|Requested Date/Time"
            "|Observation Date/Time|Observation End Date/Time|Collection Volume|Collector Identifier"
            "|Specimen Action Code|Danger Code|Relevant Clinical Information|Specimen Received Date/Time"
            "|Specimen Source|Ordering Provider|Order Callback Phone Number|Placer Field 1|Placer Field 2"
            "|Filler Field 1|Filler Field 2|Results Report/Status Change Date/Time|Charge to Practice"
            "|Diagnostic Service Section ID|Result Status|Parent Result|Quantity/Timing|Result Copies To|Parent"
            "|Transportation Mode|Reason for Study|Principal Result Interpreter|Assistant Result Interpreter"
            "|Technician|Transcriptionist|Scheduled Date/Time|Number of Sample Containers"
            "|Transport Logistics of Collected Sample|Collector's Comment|Transport Arrangement Responsibility"
            "|Transport Arranged|Escort Required|Planned Patient Transport Comment|Procedure Code"
            "|Procedure Code Modifier"
        ),
        (
            "Numéro|Numéro du demandeur|Numéro de l’exécutant|Examen|Priorité|Date demandée|Date de réalisation"
            "|Fin de réalisation|Volume prélevé|Préleveur|Action sur le prélèvement|Alerte|Renseignements cliniques"
            "|Réception du prélèvement|Origine du prélèvement|Prescripteur|Téléphone de rappel"
            "|Champ 1 du demandeur (numéro d’accès)|Champ 2 du demandeur (examen demandé)"
            "|Champ 1 de l’exécutant (étape)|Champ 2 de l’exécutant|Date du résultat|Facturation|Modalité"
            "|État du résultat|Résultat parent|Quantité, horaire|Copies à|Parent|Transport du patient"
            "|Motif de l’examen|Interprète principal|Interprète assistant|Manipulateur|Secrétaire|Date prévue"
            "|Nombre de contenants|Acheminement|Commentaire du préleveur|Responsable du transport"
            "|Transport organisé|Accompagnement|Commentaire de transport|Code de l’acte|Modificateur de l’acte"
        ),
    ),
    "TQ1": (
        "Timing/Quantity",
        "Horaire",
        (
            "Set ID|Quantity|Repeat Pattern|Explicit Time|Relative Time and Units|Service Duration|Start Date/Time"
            "|End Date/Time|Priority|Condition Text|Text Instruction|Conjunction|Occurrence Duration"
            "|Total Occurrences"
        ),
        (
            "Numéro|Quantité|Répétition|Heure|Temps relatif|Durée|Début|Fin|Priorité|Condition|Consigne|Conjonction"
            "|Durée d’une occurrence|Nombre d’occurrences"
        ),
    ),
    "IPC": (
        "Imaging Procedure Control",
        "Étape d’imagerie",
        (
            "Accession Identifier|Requested Procedure ID|Study Instance UID|Scheduled Procedure Step ID|Modality"
            "|Protocol Code|Scheduled Station Name|Scheduled Procedure Step Location|Scheduled Station AE Title"
        ),
        (
            "Numéro d’accès|Identifiant de l’examen demandé|UID de l’étude|Identifiant de l’étape|Modalité|Protocole"
            "|Nom de l’appareil|Lieu|AE title de l’appareil"
        ),
    ),
    "ZDS": (
        "Study Instance UID (IHE)",
        "UID de l’étude (IHE)",
        "Study Instance UID",
        "UID de l’étude",
    ),
    "SCH": (
        "Scheduling Activity Information",
        "Rendez-vous",
        (
            "Placer Appointment ID|Filler Appointment ID|Occurrence Number|Placer Group Number|Schedule ID|Event Reason"
            "|Appointment Reason|Appointment Type|Appointment Duration|Appointment Duration Units"
            "|Appointment Timing Quantity|Placer Contact Person|Placer Contact Phone Number|Placer Contact Address"
            "|Placer Contact Location|Filler Contact Person|Filler Contact Phone Number|Filler Contact Address"
            "|Filler Contact Location|Entered By Person|Entered By Phone Number|Entered By Location"
            "|Parent Placer Appointment ID|Parent Filler Appointment ID|Filler Status Code|Placer Order Number"
            "|Filler Order Number"
        ),
        (
            "Numéro du demandeur|Numéro de l’exécutant|Occurrence|Groupe du demandeur|Agenda|Motif de l’événement"
            "|Motif du rendez-vous|Type|Durée|Unité de durée|Horaire|Contact du demandeur"
            "|Téléphone du demandeur|Adresse du demandeur|Lieu du demandeur|Contact de l’exécutant"
            "|Téléphone de l’exécutant|Adresse de l’exécutant|Lieu de l’exécutant|Saisi par"
            "|Téléphone de saisie|Lieu de saisie|Parent chez le demandeur|Parent chez l’exécutant|État"
            "|Numéro de demande du demandeur|Numéro de demande de l’exécutant"
        ),
    ),
    "RGS": (
        "Resource Group",
        "Groupe de ressources",
        "Set ID|Segment Action Code|Resource Group ID",
        "Numéro|Action|Groupe",
    ),
    "AIS": (
        "Appointment Information - Service",
        "Rendez-vous : examen",
        (
            "Set ID|Segment Action Code|Universal Service Identifier|Start Date/Time|Start Date/Time Offset"
            "|Start Date/Time Offset Units|Duration|Duration Units|Allow Substitution Code|Filler Status Code"
        ),
        "Numéro|Action|Examen|Début|Décalage|Unité de décalage|Durée|Unité de durée|Remplacement permis|État",
    ),
    "AIG": (
        "Appointment Information - General Resource",
        "Rendez-vous : appareil",
        (
            "Set ID|Segment Action Code|Resource ID|Resource Type|Resource Group|Resource Quantity"
            "|Resource Quantity Units|Start Date/Time|Start Date/Time Offset|Start Date/Time Offset Units|Duration"
            "|Duration Units|Allow Substitution Code|Filler Status Code"
        ),
        (
            "Numéro|Action|Ressource|Type|Groupe|Quantité|Unité|Début|Décalage|Unité de décalage|Durée"
            "|Unité de durée|Remplacement permis|État"
        ),
    ),
    "AIL": (
        "Appointment Information - Location Resource",
        "Rendez-vous : salle",
        (
            "Set ID|Segment Action Code|Location Resource ID|Location Type|Location Group|Start Date/Time"
            "|Start Date/Time Offset|Start Date/Time Offset Units|Duration|Duration Units|Allow Substitution Code"
            "|Filler Status Code"
        ),
        (
            "Numéro|Action|Salle|Type|Groupe|Début|Décalage|Unité de décalage|Durée|Unité de durée"
            "|Remplacement permis|État"
        ),
    ),
    "AIP": (
        "Appointment Information - Personnel Resource",
        "Rendez-vous : personne",
        (
            "Set ID|Segment Action Code|Personnel Resource ID|Resource Type|Resource Group|Start Date/Time"
            "|Start Date/Time Offset|Start Date/Time Offset Units|Duration|Duration Units|Allow Substitution Code"
            "|Filler Status Code"
        ),
        (
            "Numéro|Action|Personne|Type|Groupe|Début|Décalage|Unité de décalage|Durée|Unité de durée"
            "|Remplacement permis|État"
        ),
    ),
    "AL1": (
        "Patient Allergy Information",
        "Allergie",
        "Set ID|Allergen Type|Allergen|Severity|Reaction|Identification Date",
        "Numéro|Type|Allergène|Gravité|Réaction|Date",
    ),
    "NTE": (
        "Notes and Comments",
        "Commentaire",
        "Set ID|Source of Comment|Comment|Comment Type",
        "Numéro|Source|Texte|Type",
    ),
    "OBX": (
        "Observation/Result",
        "Observation",
        (
            "Set ID|Value Type|Observation Identifier|Observation Sub-ID|Observation Value|Units|References Range"
            "|Abnormal Flags|Probability|Nature of Abnormal Test|Observation Result Status"
            "|Effective Date of Reference Range|User Defined Access Checks|Date/Time of the Observation"
        ),
        (
            "Numéro|Type de valeur|Observation|Sous-identifiant|Valeur|Unité|Valeurs de référence|Anomalie"
            "|Probabilité|Nature de l’anomalie|État du résultat|Date des références|Contrôle d’accès"
            "|Date de l’observation"
        ),
    ),
    "NCK": ("System Clock", "Horloge du système", "System Date/Time", "Date et heure du système"),
}


def _named(en: str, fr: str) -> tuple[Name, ...]:
    return tuple(Name(*pair) for pair in zip(en.split("|"), fr.split("|"), strict=True) if en or fr)


SEGMENTS: Final[Mapping[str, SegmentName]] = MappingProxyType(
    {
        identifier: SegmentName(Name(en, fr), _named(fields_en, fields_fr))
        for identifier, (en, fr, fields_en, fields_fr) in _NAMES.items()
    }
)
"""Identifier to names."""

_NOTHING: Final = Name("", "")


def field_name(segment: str, number: int) -> Name:
    """The name of a field, from 1; empty when it has none here."""
    found = SEGMENTS.get(segment)
    if found is None or number > len(found.fields):
        return _NOTHING
    return found.fields[number - 1]
