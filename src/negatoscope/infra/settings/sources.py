"""The file, the environment, the command line: what each says, and which one counts."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from negatoscope.infra.errors import ConfigurationError

FILE_NAME: Final = "negatoscope.toml"
DEFAULT_DATA_DIR: Final = Path("negatoscope-data")


def read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"cannot read {path}: {error}", hint="it must be readable UTF-8 TOML."
        ) from error


def in_environment(name: str) -> bool:
    prefix = f"NEGATOSCOPE_{name.upper()}"
    return any(key.upper() == prefix or key.upper().startswith(prefix + "__") for key in os.environ)


def source_of(name: str, given: Mapping[str, Any], in_file: Mapping[str, Any], path: Path) -> str:
    if name in given:
        return "command line"
    if in_environment(name):
        return f"environment: NEGATOSCOPE_{name.upper()}"
    if name in in_file:
        return f"file {path}"
    return "default"
