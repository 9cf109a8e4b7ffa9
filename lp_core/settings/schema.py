"""What a settings group is made of: fields that know their help and range, and the check of their values.

Standard library only, Python 3.7 syntax.
"""

from dataclasses import field, fields
from typing import Any, Optional, Sequence

from ..errors import SettingError


def setting(
    default: Any,  # noqa: ANN401 - any setting's value
    help: str,  # noqa: A002 - the field's word everywhere
    choices: Optional[Sequence[str]] = None,
    minimum: Optional[float] = None,
    maximum: Optional[float] = None,
    unit: str = "",
    path: str = "",
    words: Sequence[str] = (),
) -> Any:  # noqa: ANN401 - dataclasses.field has no narrower type
    """A dataclass field that carries what a flag or a panel needs to know about itself.

    Args:
        default: the only default.
        help: what it does.
        choices: all values there are.
        minimum: lowest number.
        maximum: highest number.
        unit: of a number.
        path: 'file' or 'folder' where the value names one; a worker looks at it before it lets a job begin.
        words: values of a path that name no file, such as 'auto'.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "unit": unit,
        "path": path,
        "words": words,
    }
    return field(default=default, metadata=metadata)


def check(group: Any) -> None:  # noqa: ANN401 - any settings group
    """Refuses a group with a value that is not a choice or out of range; SettingError names the field."""
    for item in fields(group):
        value, meta = getattr(group, item.name), item.metadata
        choices, low, high = meta.get("choices"), meta.get("minimum"), meta.get("maximum")
        if choices is not None and value not in choices:
            raise SettingError(
                "{} = {!r} is not known; choose one of: {}.".format(item.name, value, ", ".join(choices))
            )
        if value is None or isinstance(value, (str, bool)):
            continue
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            raise SettingError(
                f"{item.name} = {value} is out of range; it must lie between {low} and {high}."
            )
