"""Lays a performance of an implicit rig onto a source: relative or absolute, by region; pure NumPy.

By default a setting does what its name says. ``official_compat`` gives the published pipeline's numbers,
whose surprises are: a head that comes nearer is left out of the region 'pose'; a single driving image
cannot turn the head, and its eyes are measured against another neutral than the rest; on a filmed source
the driver's size and place are ignored, some expression components are not touched, and smoothed rotations
are not rotations.

Convention: see ``lp_core.motion.implicit.motion``; rotations act on rows from the right and are composed as R_d
    R_0^T R_s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lp_core.errors import SettingError
from lp_core.geometry.rotation import nearest_rotation
from lp_core.motion.implicit.kalman import OBSERVATION_VARIANCE, kalman_smooth
from lp_core.motion.implicit.motion import F64, ImplicitMotion
from lp_core.motion.implicit.regions import NEUTRAL_EXPRESSION
from lp_core.motion.implicit.rigs import LIVEPORTRAIT21, ImplicitRig
from lp_core.settings import REGIONS


@dataclass(frozen=True)
class TransferOptions:
    """How a performance is laid onto a source."""

    is_relative: bool = True
    """Relative to a reference frame of the performance, or absolute."""
    region: str = "all"
    """One of ``lp_core.settings.REGIONS``."""
    official_compat: bool = False
    """The published pipeline's numbers, surprises included."""
    observation_variance: float = OBSERVATION_VARIANCE
    """Strength of the smoothing over a filmed source."""
    rig: ImplicitRig = LIVEPORTRAIT21
    """Of source and performance."""

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise SettingError(f"region = {self.region!r} is not known; choose one of: {', '.join(REGIONS)}.")
        if self.region == "pose" and not self.rig.gives_pose:
            raise SettingError(
                f"region = 'pose' moves the head, which the rig {self.rig.name} leaves as it is; choose another "
                "region or --model liveportrait."
            )

    @property
    def moves_head(self) -> bool:
        """True where the region takes the driver's pose."""
        return self.rig.gives_pose and self.region in ("all", "pose")

    def shares(self) -> F64:
        """(K, 3) share of the performance in the expression, 0..1, by region and kind of motion.

        Relative motion adds the whole change; absolute motion replaces by the rig's own shares, and single
        regions as a whole unless the rig's shares are fractions.
        """
        nothing = np.zeros((self.rig.keypoints, 3))
        whole = np.ones_like(nothing) if self.is_relative else self.rig.replacement
        if self.region in ("all", "expression"):
            return whole
        if self.region == "pose":
            return nothing
        has_fractions = bool(((self.rig.replacement > 0) & (self.rig.replacement < 1)).any())
        return np.where(self.rig.mask(self.region), whole if has_fractions else 1.0, 0.0)


def picture_reference(
    driving: ImplicitMotion, options: TransferOptions, is_filmed: bool = False
) -> ImplicitMotion:
    """The reference of relative motion where the performance is one image: a neutral face, looking ahead.

    Args:
        driving: the image's motion.
        options: of the transfer; with ``official_compat`` the reference looks where the image looks.
        is_filmed: the source is filmed.

    Raises:
        SettingError: the rig has no neutral face.
    """
    if options.rig.keypoints != len(NEUTRAL_EXPRESSION):
        raise SettingError(
            f"The rig {options.rig.name} knows no neutral face to compare a single image with; replace the "
            "expression (--recast replacement) or give a video with a --reference frame."
        )
    neutral = NEUTRAL_EXPRESSION
    if not options.official_compat:
        return replace(driving, rotation=np.eye(3), expression=neutral.copy())
    is_without = options.region == "eyes" and not is_filmed
    return replace(driving, expression=np.zeros_like(neutral) if is_without else neutral.copy())


def transfer(
    source: ImplicitMotion, driving: ImplicitMotion, reference: ImplicitMotion, options: TransferOptions
) -> ImplicitMotion:
    """Motion of a still source at one frame.

    Args:
        source: the source's own state.
        driving: the performance at this frame.
        reference: the performance where it is neutral: any frame of it, or ``picture_reference``; absolute
            motion does not look at it.
        options: what is taken.
    """
    if options.is_relative:
        return _relative(source, driving, reference, options)
    return replace(
        source,
        rotation=driving.rotation if options.moves_head else source.rotation,
        expression=mixed(source.expression, driving.expression, options.shares()),
        translation=driving.translation if options.moves_head else source.translation,
    )


def mixed(source: F64, driving: F64, shares: F64) -> F64:
    """Shares * driving + (1 - shares) * source, and either of them exactly where the share is 1 or 0."""
    between = shares * driving + (1.0 - shares) * source
    return np.where(shares == 1.0, driving, np.where(shares == 0.0, source, between))


def _relative(
    source: ImplicitMotion, driving: ImplicitMotion, reference: ImplicitMotion, options: TransferOptions
) -> ImplicitMotion:
    change = driving.expression - reference.expression
    expression = source.expression + mixed(np.zeros_like(change), change, options.shares())
    if not options.moves_head:
        return replace(source, expression=expression)
    takes_scale = options.region == "all" or not options.official_compat
    return replace(
        source,
        rotation=turned(source, driving, reference),
        expression=expression,
        scale=source.scale * driving.scale / reference.scale if takes_scale else source.scale,
        translation=source.translation + (driving.translation - reference.translation),
    )


def turned(source: ImplicitMotion, driving: ImplicitMotion, reference: ImplicitMotion) -> F64:
    """(3, 3) the source's rotation after the driver's turn away from its reference."""
    product: F64 = driving.rotation @ reference.rotation.T @ source.rotation
    return product


def transfer_filmed(
    sources: Sequence[ImplicitMotion],
    driving: Sequence[ImplicitMotion],
    reference: ImplicitMotion,
    options: TransferOptions,
) -> list[ImplicitMotion]:
    """Motion of a filmed source, frame by frame, smoothed over the shot where the performance is a clip.

    Args:
        sources: the source's own states.
        driving: the performance, as many frames; or one image, which serves all frames.
        reference: as for ``transfer``.
        options: what is taken.

    Raises:
        SettingError: the numbers of frames differ.
    """
    is_picture = len(driving) == 1 and len(sources) > 1
    if len(driving) != len(sources) and not is_picture:
        raise SettingError(
            f"The source has {len(sources)} frames and the performance {len(driving)}; cut both to one "
            "length."
        )
    performance = list(driving) * len(sources) if is_picture else list(driving)
    if options.official_compat:
        return _filmed_officially(sources, performance, reference, options, is_smoothed=not is_picture)
    moved = [transfer(s, d, reference, options) for s, d in zip(sources, performance, strict=True)]
    return moved if is_picture else smooth(moved, options)


def smooth(motions: Sequence[ImplicitMotion], options: TransferOptions) -> list[ImplicitMotion]:
    """Smooths what the region has changed, the rotation and the expression; rotations stay rotations."""
    expressions = [motion.expression for motion in motions]
    rotations = [motion.rotation for motion in motions]
    if options.region != "pose":
        expressions = list(kalman_smooth(np.stack(expressions), options.observation_variance))
    if options.moves_head:
        smoothed = kalman_smooth(np.stack(rotations), options.observation_variance)
        rotations = [nearest_rotation(rotation) for rotation in smoothed]
    return [
        replace(motion, rotation=rotation, expression=expression)
        for motion, rotation, expression in zip(motions, rotations, expressions, strict=True)
    ]


def _filmed_officially(
    sources: Sequence[ImplicitMotion],
    driving: Sequence[ImplicitMotion],
    reference: ImplicitMotion,
    options: TransferOptions,
    is_smoothed: bool,
) -> list[ImplicitMotion]:
    pairs = list(zip(sources, driving, strict=True))
    if options.is_relative:
        expressions = np.stack([s.expression + d.expression - reference.expression for s, d in pairs])
        rotations = np.stack([turned(s, d, reference) for s, d in pairs])
    else:
        expressions = np.stack([d.expression for d in driving])
        rotations = np.stack([d.rotation for d in driving])
    if is_smoothed:
        expressions = kalman_smooth(expressions, options.observation_variance)
        rotations = kalman_smooth(rotations, options.observation_variance)
    shares = replace(options, is_relative=False).shares()
    takes_place = options.moves_head and not options.is_relative
    return [
        replace(
            source,
            rotation=rotations[i] if options.moves_head else source.rotation,
            expression=mixed(source.expression, expressions[i], shares),
            translation=performance.translation if takes_place else source.translation,
        )
        for i, (source, performance) in enumerate(pairs)
    ]
