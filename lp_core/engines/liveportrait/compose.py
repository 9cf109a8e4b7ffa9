"""From the networks' results to an image of the source's own kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.engines.base import Animation, Enlarge, NeuralCrop
from lp_core.engines.liveportrait.dense_motion import identity_grid
from lp_core.engines.liveportrait.detail import moved, with_detail
from lp_core.engines.liveportrait.performance import CROP_PX
from lp_core.engines.liveportrait.portrait import LivePortraitPortrait
from lp_core.geometry.paste import PastePlace, cut, halved, paste_at
from lp_core.geometry.paste_official import paste_official
from lp_core.geometry.warp import affine_part, enlarge, lay

F32 = NDArray[np.float32]


def compose(
    portrait: LivePortraitPortrait,
    picture: torch.Tensor,
    deformation: torch.Tensor,
    keeps_detail: bool = False,
    is_official: bool = False,
    enlarge_crop: Enlarge | None = None,
) -> Animation:
    """Lays the generated image into the source's frame.

    Args:
        portrait: the source.
        picture: (1, 3, 512, 512), [0, 1], of G.
        deformation: (1, D, H, W, 3), of W.
        keeps_detail: True: fine detail is the source's own.
        is_official: True: frames of 8 bits are pasted with the published pipeline's numbers.
        enlarge_crop: makes the crop finer where the frame is finer than the crop.
    """
    shown = as_shown(picture)
    if portrait.beyond is not None:
        shown = shown + moved(portrait.beyond, crop_flow(deformation))
    source, place, region = portrait.source, portrait.place, portrait.place.region
    box = (region.left, region.top, region.right, region.bottom)
    flow = frame_flow(place, deformation)
    crop = source.coded(shown)
    neural = NeuralCrop(crop / np.float32(source.white), _frame_from_crop(place))
    scale = float(np.sqrt(abs(np.linalg.det(_frame_from_crop(place)[:2, :2]))))
    if enlarge_crop is not None and scale > 1:
        shown, place = finer(enlarge_crop(shown), place, scale)
        crop = source.coded(shown)
    if keeps_detail and not region.is_empty:
        pixels = source.pixels.copy()
        part = pixels[region.slices]
        own = np.ascontiguousarray(part[..., :3])
        carried = source.shown(moved(np.asarray(own, np.float32), flow))
        drawn = with_detail(affine_part(shown, place.crop_from_frame, box), carried, scale)
        lay(source.coded(drawn), place.weight, place.mask, own)
        part[..., :3] = own
    elif is_official and source.pixels.dtype == np.uint8:
        pixels = paste_official(source.pixels, np.clip(crop, 0, 255).astype(np.uint8), place)
    else:
        pixels = paste_at(source.pixels, crop, place)
    return Animation(pixels, box, portrait.place.weight, flow, crop=neural)


def as_shown(picture: torch.Tensor) -> F32:
    """(1, 3, S, S) of G as (S, S, 3) float32 on the CPU."""
    shown: F32 = picture[0].float().permute(1, 2, 0).cpu().numpy()
    return shown


def kept(portrait: LivePortraitPortrait, note: str) -> Animation:
    """The source as it is, where the network gave nothing that can be shown.

    Args:
        portrait: the source.
        note: why, for the summary.
    """
    place, source = portrait.place, portrait.source
    region, weight = place.region, place.weight
    crop = np.asarray(cut_square_of(portrait), np.float32)
    return Animation(
        source.pixels,
        (region.left, region.top, region.right, region.bottom),
        np.zeros_like(weight),
        np.zeros((*weight.shape, 2), np.float32),
        crop=NeuralCrop(crop / np.float32(source.white), _frame_from_crop(place)),
        note=note,
    )


def cut_square_of(portrait: LivePortraitPortrait) -> F32:
    """(512, 512, 3) the source's own crop, in its codes."""
    return cut(portrait.source.pixels[..., :3], _frame_from_crop(portrait.place), CROP_PX)


def finer(large: F32, place: PastePlace, scale: float) -> tuple[F32, PastePlace]:
    """An enlarged crop less than twice as fine as the frame it goes into, and its place.

    Args:
        large: (L, L, 3) the crop, enlarged.
        place: of the crop of 512 pixels.
        scale: pixels of the frame per pixel of that crop.
    """
    crop = large
    while (
        len(crop) >= 2 * CROP_PX * scale and len(crop) % 2 == 0
    ):  # exact, unlike an area filter of any factor
        crop = halved(crop)
    k = len(crop) / CROP_PX  # pixel centers: (x + 0.5) k - 0.5
    larger = np.array([[k, 0.0, (k - 1) / 2], [0.0, k, (k - 1) / 2], [0.0, 0.0, 1.0]])
    return crop, replace(place, crop_from_frame=larger @ place.crop_from_frame)


def crop_flow(deformation: torch.Tensor) -> F32:
    """(512, 512, 2) the same as ``frame_flow`` over the crop, in its pixels."""
    depth, rows, columns = deformation.shape[1:4]
    shift = deformation[0].float() - identity_grid((depth, rows, columns), deformation.float())
    return enlarge(shift[..., :2].mean(dim=0).cpu().numpy() * np.float32(CROP_PX / 2), CROP_PX, CROP_PX)


def in_frame(place: PastePlace, points: NDArray[np.floating[Any]]) -> F32:
    """Key points (P, 3) in grid units, -1..1 over the crop, in pixels of the frame; z in the same unit."""
    frame_from_crop = _frame_from_crop(place)
    half = (CROP_PX - 1) / 2
    result = np.empty((len(points), 3), np.float32)
    result[:, :2] = (points[:, :2] + 1) * half @ frame_from_crop[:2, :2].T + frame_from_crop[:2, 2]
    result[:, 2] = points[:, 2] * half * np.sqrt(abs(np.linalg.det(frame_from_crop[:2, :2])))
    return result


def frame_flow(place: PastePlace, deformation: torch.Tensor) -> F32:
    """The image's flow, approximately: the deformation's mean over depth, 0 where nothing shows.

    The generator redraws what it is given, so pixels do not literally come from anywhere; this is where the
    features came from, which is what host programs use vectors for.

    Convention:
        Inverse flow in frame pixels: output (x, y) shows the source at (x, y) + flow.

    Args:
        place: of the crop in the frame.
        deformation: (1, D, H, W, 3) in grid units.

    Returns:
        (h, w, 2) of the place's region.
    """
    depth, rows, columns = deformation.shape[1:4]
    shift = deformation[0].float() - identity_grid((depth, rows, columns), deformation.float())
    shift_grid = shift[..., :2].mean(dim=0).cpu().numpy()
    frame_from_crop = _frame_from_crop(place)
    shift_px = shift_grid @ (CROP_PX / 2 * frame_from_crop[:2, :2].T)
    region = place.region
    size = (region.right - region.left, region.bottom - region.top)
    if region.is_empty:
        return np.zeros((*place.weight.shape, 2), np.float32)
    into_region = np.eye(3)
    into_region[:2, 2] = region.left, region.top
    to_grid = np.diag([(columns - 1) / CROP_PX, (rows - 1) / CROP_PX, 1.0])
    matrix = (to_grid @ place.crop_from_frame @ into_region)[:2]
    flow = cv2.warpAffine(
        shift_px.astype(np.float32),
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(flow * (place.weight > 0)[..., None], np.float32)


def _frame_from_crop(place: PastePlace) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(place.crop_from_frame), np.float64)
