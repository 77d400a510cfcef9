"""``app-config.js``: what OHIF is told, for one person.

What it hides is not what it protects: the server refuses what a role may not do, whatever the
viewer shows.
"""

from typing import Any, Final

import orjson

from negatoscope.domain.identity import Action, Actor, Role, may

_BASIC: Final = "@ohif/mode-longitudinal"
_MODES: Final = (
    _BASIC,
    "@ohif/mode-basic",
    "@ohif/mode-segmentation",
    "@ohif/mode-tmtv",
    "@ohif/mode-microscopy",
    "@ohif/mode-preclinical-4d",
    "@ohif/mode-ultrasound-pleura-bline",
)
_FOR_ALL: Final = frozenset({_BASIC})
_FOR_READING: Final = frozenset(
    {_BASIC, "@ohif/mode-segmentation", "@ohif/mode-tmtv", "@ohif/mode-preclinical-4d"}
)
_READERS: Final = frozenset({Role.ADMINISTRATOR, Role.RADIOLOGIST, Role.PHYSICIST})
_SMALL_TOOLBAR: Final = ("WindowLevel", "Zoom", "Pan", "Length", "Layout", "Capture", "MoreTools")
"""Identifiers of the viewer mode's buttons that those who do not read images for a living have."""
_MICROSCOPY: Final = "@ohif/mode-microscopy"
#: Names of the modes shown, where the build has none in the language.
_NAMES: Final = {
    "fr": {
        _BASIC: "Visualiser",
        "@ohif/mode-segmentation": "Segmenter",
        "@ohif/mode-tmtv": "Volume tumoral total",
        _MICROSCOPY: "Microscopie",
        "@ohif/mode-preclinical-4d": "4D",
    }
}
_PROLOGUE: Final = """\
try {
  localStorage.setItem("i18nextLng", LANGUAGE);
  localStorage.setItem("shownTours", '["basicViewerTour"]');
  document.cookie = "i18next=; Path=/; Max-Age=0";
  document.documentElement.lang = LANGUAGE;
} catch (error) { console.warn(error); }
"""
_EPILOGUE: Final = """\
window.config.httpErrorHandler = error => {
  if (error && error.status === 401) {
    location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
  }
};
"""


def modes_for(actor: Actor, *, has_microscopy: bool) -> frozenset[str]:
    """Identifiers of the modes that somebody is offered."""
    modes = _FOR_READING if actor.roles & _READERS else _FOR_ALL
    return modes | {_MICROSCOPY} if has_microscopy else modes


def shows_study_list(actor: Actor) -> bool:
    """Whether there is a list to choose from: not for a link to one study, nor for a patient."""
    return bool(may(actor, Action.QUERY)) and actor.kind == "user" and actor.roles != {Role.PATIENT}


def customization(actor: Actor) -> dict[str, Any]:
    """What is left out of the viewer mode: its tools and the panel of measurements."""
    if actor.roles & _READERS:
        return {}
    small = {
        "toolbarSections": {"$push": [{"primary": list(_SMALL_TOOLBAR)}]},
        "rightPanels": {"$set": []},
    }
    return {"mode": {"viewer": small}}


def configuration(actor: Actor, language: str, *, has_microscopy: bool) -> dict[str, Any]:
    """The members of ``window.config`` that are data.

    Args:
        actor: Who is signed in.
        language: Primary language tag.
        has_microscopy: Whether the viewer of whole slide images is installed.
    """
    shown = modes_for(actor, has_microscopy=has_microscopy)
    names = _NAMES.get(language, {})
    modes: dict[str, Any] = {}
    for mode in _MODES:
        if mode not in shown:
            modes[mode] = {"hide": {"$set": True}}
        elif mode in names:
            modes[mode] = {"displayName": {"$set": names[mode]}}
    return {
        "routerBasename": "/ohif",
        "extensions": [],
        "modes": [],
        "showStudyList": shows_study_list(actor),
        "maxNumberOfWebWorkers": 3,
        "maxNumRequests": {"interaction": 100, "thumbnail": 5, "prefetch": 25},
        "showWarningMessageForCrossOrigin": False,
        "showCPUFallbackMessage": True,
        "showLoadingIndicator": True,
        "strictZSpacingForVolumeViewport": True,
        "groupEnabledModesFirst": True,
        "showErrorDetails": "production",
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": "dicomweb",
        "dataSources": [
            {
                "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
                "sourceName": "dicomweb",
                "configuration": {
                    "friendlyName": "Negatoscope",
                    "name": "negatoscope",
                    "qidoRoot": "/dicom-web",
                    "wadoRoot": "/dicom-web",
                    "wadoUriRoot": "/wado",
                    "imageRendering": "wadors",
                    "thumbnailRendering": "thumbnailDirect",
                    "singlepart": "video",
                    "enableStudyLazyLoad": True,
                    "supportsFuzzyMatching": False,
                    "supportsWildcard": True,
                    "qidoSupportsIncludeField": False,
                    "supportsReject": False,
                    "dicomUploadEnabled": False,
                    "omitQuotationForMultipartRequest": True,
                    "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
                },
            }
        ],
        "modesConfiguration": modes,
        "customizationService": customization(actor),
    }


def script(actor: Actor, language: str, *, has_microscopy: bool) -> bytes:
    """The text of ``app-config.js``."""
    data = orjson.dumps(
        configuration(actor, language, has_microscopy=has_microscopy), option=orjson.OPT_INDENT_2
    ).decode("utf-8")
    prologue = _PROLOGUE.replace("LANGUAGE", orjson.dumps(language).decode("ascii"))
    return f"{prologue}window.config = {data};\n{_EPILOGUE}".encode()
