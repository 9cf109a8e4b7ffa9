"""What the settings of a render mean for a model of the table: one value, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lp_core.engines.liveportrait.retarget import RetargetOptions
from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.errors import SettingError
from lp_core.geometry.crop import CropShape
from lp_core.motion.implicit.transfer import TransferOptions
from lp_core.settings import LivePortraitSettings, RenderSettings
from lp_core.settings.sliders import SLIDERS, WEIGHTS

_NEED_SMALL = ("eye_retargeting", "lip_retargeting", "normalize_lip", "steady_eyes")
"""Settings that the networks for eyes and lips carry out."""


@dataclass(frozen=True)
class EngineOptions:
    """The settings as the engine uses them."""

    transfer: TransferOptions
    retarget: RetargetOptions
    is_official: bool
    """The published pipeline's numbers, surprises included."""
    is_expression_friendly: bool
    """Expressions keep their full reach; see ``retarget.expression_friendly``."""
    keeps_eyes: bool
    """A filmed source's eyes stay as open as in its first frame."""
    surveys: bool
    """A filmed source must be looked at before its first image."""
    keeps_detail: bool
    """Fine detail is the source's own."""
    pastes_face: bool
    """Only the face is pasted back, through a matte."""
    source_crop: CropShape
    driving_crop: CropShape
    sliders: tuple[str, ...]
    """Sliders and weights that the model can do."""

    @classmethod
    def of(cls, settings: RenderSettings, model: PublishedModel) -> EngineOptions:
        """The options of a render.

        Raises:
            SettingError: a setting asks for what the model does not have.
        """
        own = settings.liveportrait
        _check(own, model)
        if settings.speech.lipsync and not model.rig.gives_pose:
            raise SettingError(f"--lipsync needs --model liveportrait; a voice cannot play {model.name}.")
        is_relative = _is_relative(settings, model)
        transfer = TransferOptions(
            is_relative=is_relative,
            region=settings.motion.region,
            official_compat=own.official_compat,
            rig=model.rig,
        )
        retarget = RetargetOptions(
            stitching=own.stitching and model.has_small_networks,
            eye_retargeting=own.eye_retargeting,
            lip_retargeting=own.lip_retargeting,
            normalise_lips=own.normalize_lip and not settings.speech.lipsync,
            multiplier=settings.motion.strength,
            official_compat=own.official_compat,
        )
        wants_reach = model.keeps_reach or (own.driving_option == "expression-friendly" and is_relative)
        scale = own.crop_scale
        return cls(
            transfer=transfer,
            retarget=retarget,
            is_official=own.official_compat,
            is_expression_friendly=wants_reach and model.rig.gives_pose,
            keeps_eyes=own.steady_eyes,
            surveys=own.official_compat or own.steady_eyes or settings.speech.lipsync,
            keeps_detail=own.detail == "source",
            pastes_face=model.pastes_face if own.paste == "auto" else own.paste == "face",
            source_crop=replace(model.source_crop, scale=scale) if scale else model.source_crop,
            driving_crop=replace(model.driving_crop, scale=scale)
            if scale and model.driving_crop == model.source_crop
            else model.driving_crop,
            sliders=_sliders(model, own.official_compat),
        )


def _is_relative(settings: RenderSettings, model: PublishedModel) -> bool:
    """Whether the performance's change is added; models of the expression alone have their own setting."""
    by_motion = settings.motion.motion == "relative" and not model.keeps_reach
    by_mode = settings.liveportrait.recast == "enhancement"
    return by_motion if model.rig.gives_pose else by_mode


def _sliders(model: PublishedModel, is_official: bool) -> tuple[str, ...]:
    groups = () if is_official else ("all", *model.rig.groups)
    own = tuple(name for name in WEIGHTS if name.removeprefix("weight_") in groups)
    if not model.rig.gives_pose:  # the other sliders are tables over LivePortrait's points
        return own
    needs_small = () if model.has_small_networks else ("eye_ratio", "lip_ratio")
    return (*(name for name in SLIDERS if name not in needs_small), *own)


def _check(own: LivePortraitSettings, model: PublishedModel) -> None:
    if model.has_small_networks:
        return
    asked = [name for name in (*_NEED_SMALL, "official_compat") if getattr(own, name)]
    if asked:
        flag = asked[0].replace("_", "-")
        raise SettingError(
            f"--{flag} is LivePortrait's own and the model {model.name} does not have it; leave it out or choose "
            "--model liveportrait."
        )
