"""Where this server is reached, and commands that work against it as they are shown."""

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from negatoscope.infra.settings import Settings

_EVERY_INTERFACE = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound

Command = str
"""One command, perhaps on several lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where this server is reached.

    Attributes:
        origin: ``http://host:port`` of the HTTP side.
        ae_title, dicom_host, dicom_port: Of the DICOM side.
    """

    origin: str
    ae_title: str
    dicom_host: str
    dicom_port: int

    @classmethod
    def of(cls, settings: Settings, origin: str) -> "Addresses":
        """As the client that came by ``origin`` should write them."""
        host, port = settings.dicom
        if host in _EVERY_INTERFACE:
            host = urlsplit(origin).hostname or host
        return cls(origin=origin, ae_title=settings.ae_title, dicom_host=host, dicom_port=port)

    @property
    def _peer(self) -> str:
        return f"-aet MY_AE_TITLE -aec {shlex.quote(self.ae_title)} {self.dicom_host} {self.dicom_port}"

    @property
    def _token(self) -> str:
        return "curl -H 'Authorization: Bearer TOKEN'"

    def register(self) -> list[Command]:
        """An AE title and a token."""
        return [
            "negatoscope ae add MY_AE_TITLE MY_HOST:104 --roles store,query,retrieve",
            "negatoscope token create --user MY_NAME --expires 30d",
            f"echoscu -v {self._peer}",
        ]

    def send(self) -> list[Command]:
        """C-STORE and STOW-RS."""
        return [
            f"storescu -v +sd +r {self._peer} FOLDER",
            (
                f"{self._token} \\\n  -H 'Content-Type: application/dicom' --data-binary @IMAGE.dcm \\\n"
                f"  {self.origin}/dicom-web/studies"
            ),
            "negatoscope import FOLDER",
        ]

    def find(self) -> list[Command]:
        """C-FIND and QIDO-RS."""
        return [
            (
                f"findscu -v -S {self._peer} \\\n  -k QueryRetrieveLevel=STUDY -k 'PatientName=DUPONT*' "
                "-k StudyDate -k StudyInstanceUID"
            ),
            f"{self._token} \\\n  '{self.origin}/dicom-web/studies?PatientName=DUPONT*&limit=20'",
        ]

    def fetch(self, study_instance_uid: str = "STUDY_UID") -> list[Command]:
        """C-GET, C-MOVE, WADO-RS."""
        return [
            (
                f"getscu -v -S {self._peer} \\\n  -k QueryRetrieveLevel=STUDY "
                f"-k StudyInstanceUID={study_instance_uid} -od FOLDER"
            ),
            (
                f"movescu -v -S -aem MY_AE_TITLE {self._peer} \\\n  -k QueryRetrieveLevel=STUDY "
                f"-k StudyInstanceUID={study_instance_uid}"
            ),
            (
                f"{self._token} --compressed \\\n"
                f"  {self.origin}/dicom-web/studies/{study_instance_uid}/metadata"
            ),
            (
                f"{self._token} -H 'Accept: application/zip' -o study.zip \\\n"
                f"  {self.origin}/dicom-web/studies/{study_instance_uid}"
            ),
        ]
