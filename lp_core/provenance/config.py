"""Where the signing key is, and who signs: the file ``provenance.json`` in the user's configuration folder.

The folder is named by the environment variable LPSUITE_CONFIG (so that a project can have its own), else the
platform's configuration folder of the user. Paths in the file are relative to it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lp_core.errors import KeyUnusable, SettingError, WorkerError
from lp_core.files import write_whole
from lp_core.link.ownership import refuse_writable_by_all

CONFIG_VARIABLE = "LPSUITE_CONFIG"
"""Environment variable that names the configuration folder."""
FILE_NAME = "provenance.json"
ANCHORS = "anchors"
"""Folder, next to the file, of the root certificates (PEM) that are trusted when a result is read."""
SCHEMA = "lpsuite.provenance"
VERSION = 1


@dataclass(frozen=True)
class KeyConfig:
    """Who signs, and how."""

    certificates: str = "certificates.pem"
    """PEM chain, the signer's own certificate first."""
    key: str | None = "key.pem"
    """PKCS#8 private key; None where a command signs."""
    signer: tuple[str, ...] = ()
    """Command and its arguments: takes the bytes on its input, prints the raw or DER signature."""
    time_stamp_url: str | None = None
    """RFC 3161 time-stamp authority; None: nothing is asked of anyone."""
    require_consent: bool = False
    """True: no render starts without a consent file."""

    def __post_init__(self) -> None:
        if (self.key is None) == (not self.signer):
            raise SettingError(f"{FILE_NAME} must name either a key or a signer's command, not both or none.")


def config_folder() -> Path:
    """The folder in use; it may not exist yet."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("lpsuite", appauthor=False)


def read_config(folder: Path) -> KeyConfig | None:
    """What the folder says; None where nothing is set up.

    Raises:
        KeyUnusable: the file is there and cannot be used.
    """
    path = folder / FILE_NAME
    try:
        refuse_writable_by_all(path)  # it may name a command
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except WorkerError as error:
        raise KeyUnusable(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(
            f"{path} cannot be read ({_reason(error)}); check it or its permissions."
        ) from error
    try:
        return _parsed(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise KeyUnusable(
            f"{path} is not understood ({error}); run lpsuite provenance init --overwrite."
        ) from error


def write_config(folder: Path, config: KeyConfig) -> Path:
    """Writes the file; the folder is there."""
    path = folder / FILE_NAME
    values = {"schema": SCHEMA, "version": VERSION, **asdict(config)}
    write_whole(path, json.dumps(values, indent=2) + "\n")
    return path


def _parsed(values: Any) -> KeyConfig:  # noqa: ANN401 - untrusted JSON
    if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
        raise ValueError(f"its schema must be '{SCHEMA}'")
    if values.pop("version", None) != VERSION:
        raise ValueError(f"its version must be {VERSION}")
    known = {item.name for item in fields(KeyConfig)}
    if set(values) - known:
        raise ValueError(f"unknown {', '.join(sorted(set(values) - known))}")
    for name in ("certificates", "key", "time_stamp_url"):
        if not isinstance(values.get(name), str | None):
            raise TypeError(f"{name} must be a text")
    command = values.pop("signer", [])
    if not isinstance(command, list) or not all(isinstance(part, str) for part in command):
        raise TypeError("signer must be a list of texts")
    if not isinstance(values.get("require_consent", False), bool):
        raise TypeError("require_consent must be true or false")
    return KeyConfig(signer=tuple(command), **values)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
