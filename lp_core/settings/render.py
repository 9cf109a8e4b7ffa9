"""Every setting of a render, with its range, help text and only default.

Flags, panels, the wire format and help texts are derived from these fields. Standard library only, Python 3.7 syntax.
"""

import re
from dataclasses import dataclass, field
from typing import FrozenSet, Optional, Tuple

from ..errors import SettingError, UnknownCodec
from ..timing import FrameRange, whole_number
from .engines import EngineSettings, LivePortraitSettings, MeshSettings
from .schema import check, setting
from .speech import SpeechSettings

MOTION_MODES = ("relative", "absolute")
REGIONS = ("all", "pose", "expression", "eyes", "lips")
ON_LOST = ("hold", "interpolate", "source")
AUDIO_CHOICES = ("driving", "source", "none")
VIDEO_CODECS = ("h264", "hevc", "av1", "prores422hq", "dnxhr-hqx", "dnxhr-444", "prores4444", "ffv1")
UPSCALERS = ("x4plus", "x4plus-anime", "animevideov3", "x2plus", "general-x4v3")
UPSCALE_REGIONS = ("frame", "face")
BACKENDS = ("auto", "openvino", "torch")
MISSING_FRAMES = ("error", "hold", "black")
INTERLACED = ("refuse", "frame", "keep")
REFERENCES = ("refuse", "follow")
ALPHAS = ("source", "matte")
PASSES = (
    "beauty", "matte", "person", "head", "clean", "occlusion", "stmap", "motion", "regions", "shading", "crop",
    "confidence", "landmarks",
)  # fmt: skip


@dataclass(frozen=True)
class FaceSettings:
    """Which face is meant, in the source and in the driving clip."""

    source_face: str = setting(
        "largest",
        "face of the source: largest, left, right, top, bottom, center, an index or id of `lpsuite inspect`, "
        "X,Y in pixels, a photo of the person, or a name out of the folder people",
    )
    driving_face: str = setting("largest", "face of the driving clip: same words as for the source")
    people: Optional[str] = setting(
        None,
        "folder with a photo of each person, named after them, such as anna.jpg; then anna names her face",
        path="folder",
    )
    face: Tuple[str, ...] = setting(
        (),
        "a face of the source and its own performance, such as 0=driver.mp4, or left to follow DRIVING; may be "
        "repeated; other faces stay untouched",
    )
    points: Optional[str] = setting(
        None,
        "JSON file with 5 or 9 points of the source's face, set by hand where no model reads it (docs/faces.md)",
        path="file",
    )
    cast: Optional[str] = setting(
        None,
        "TOML or JSON file with a list faces: face, driving, and its own settings, such as region, strength, engine",
        path="file",
    )
    on_lost: str = setting(
        "hold",
        "where the driving face is lost: hold the last motion, interpolate across the gap, or show the source",
        choices=ON_LOST,
    )

    def __post_init__(self) -> None:
        check(self)
        for entry in self.face:
            if not entry.partition("=")[0].strip():
                raise SettingError(f"face = {entry!r} names no face; write it like 0=driver.mp4.")


@dataclass(frozen=True)
class MotionSettings:
    """How a performance is laid onto the portrait."""

    motion: str = setting(
        "relative", "relative to a reference frame of the performance, or absolute", choices=MOTION_MODES
    )
    reference: str = setting(
        "auto",
        "reference of relative motion: auto (the most neutral frame), a 0-based frame number, or neutral "
        "(a face at rest looking ahead, for a performance that is one image; liveportrait)",
    )
    region: str = setting("all", "what is animated", choices=REGIONS)
    strength: float = setting(1.0, "multiplies the whole motion", minimum=0.0, maximum=2.0)
    pose_strength: float = setting(1.0, "multiplies head motion", minimum=0.0, maximum=2.0)
    expression_strength: float = setting(1.0, "multiplies expression, lids, gaze", minimum=0.0, maximum=2.0)
    smoothing: float = setting(
        0.3,
        "temporal smoothing over the shot, 0 for none (zero-phase, nothing lags)",
        minimum=0.0,
        maximum=1.0,
    )
    fade_below: float = setting(
        0.0,
        "confidence in the performer's face below which the result fades to the source (extreme poses, covered, "
        "blurred or tiny faces); 0: never",
        minimum=0.0,
        maximum=1.0,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.reference not in ("auto", "neutral") and whole_number(self.reference) is None:
            raise SettingError(
                f"reference = {self.reference!r} is not a frame; write auto, neutral or a frame number from 0."
            )


@dataclass(frozen=True)
class SliderSettings:
    """Expression editing: sliders over pose and expression, on top of the performance."""

    edit: Tuple[str, ...] = setting(
        (), "a slider and its value, such as smile=0.6; may be repeated (names: docs/liveportrait-engine.md)"
    )
    edit_file: Optional[str] = setting(
        None,
        'slider curves over the output\'s frames, JSON such as {"smile": [[0, 0.0], [12, 0.8]], "yaw": 10}',
        path="file",
    )

    def __post_init__(self) -> None:
        check(self)
        for entry in self.edit:
            if not re.fullmatch(r"[a-z_]+=[-+.0-9e]+", entry):
                raise SettingError(f"edit = {entry!r} is not a slider and value; write it like smile=0.6.")


@dataclass(frozen=True)
class InputSettings:
    """Which part of the source is rendered, and how files are read."""

    frames: Optional[str] = setting(
        None,
        "frames to render, such as 1001-1100, by the source's own numbers (a video counts from 0; for a still, the "
        "performance's frames count from 0); default: all",
    )
    handles: int = setting(0, "more frames at either end of --frames", minimum=0, maximum=10000)
    driving_offset: int = setting(
        0, "output frames by which the performance runs ahead of the source", minimum=-(10**7), maximum=10**7
    )
    missing: str = setting(
        "error",
        "images missing from a sequence: an error that lists them, hold the one before, or black",
        choices=MISSING_FRAMES,
    )
    layer: Optional[str] = setting(None, "layer of a multi-layer EXR source; default: its main image")
    view: Optional[str] = setting(None, "view of a stereo EXR source, such as left; default: its first")
    holdout: str = setting(
        "off",
        "what is in front of the face and keeps its place: auto (models find hands and other things), off, or a matte "
        "of what must not be touched (image, sequence or video of the source's size; its alpha, else its red, "
        "1 = protected)",
        path="file",
        words=("auto", "off"),
    )
    person_matte: str = setting(
        "off",
        "keeps the background still while the head moves: auto (a model finds the person), off, or a matte of the "
        "source's size (image, sequence or video; its alpha, else its red) (mesh engine)",
        path="file",
        words=("auto", "off"),
    )
    clean_plate: Optional[str] = setting(
        None,
        "the source without the person, of its size and bit depth (image, sequence or video), shown where the head has "
        "been; default: filled from around (mesh engine)",
        path="file",
    )
    interlaced: str = setting(
        "refuse",
        "interlaced videos: refuse them, make one whole frame of each two fields, or keep them as they are",
        choices=INTERLACED,
    )
    references: str = setting(
        "refuse",
        "playlists and movies that name their media in other files: refuse them, or follow the names to local files",
        choices=REFERENCES,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.frames is not None:
            FrameRange.parse(self.frames)
        for name in ("holdout", "person_matte"):
            if getattr(self, name) == "":
                raise SettingError(f"{name} is empty; write auto, off or the name of a file.")

    @property
    def frame_range(self) -> Optional[FrameRange]:
        """The frames to render, handles included; None: all.

        Raises:
            SettingError: handles without frames.
        """
        if self.frames is not None:
            return FrameRange.parse(self.frames).with_handles(self.handles)
        if self.handles:
            raise SettingError(
                f"handles = {self.handles} lengthens a range of frames, but none is given; add --frames."
            )
        return None


@dataclass(frozen=True)
class ColorSettings:
    """What the numbers of source and result mean; by default the files say it themselves."""

    ocio: Optional[str] = setting(
        None,
        "OpenColorIO configuration of the named spaces: a file, or a built-in one such as "
        "ocio://studio-config-latest; default: $OCIO, else OpenColorIO's own ACES configuration",
        path="file",
    )
    input_space: Optional[str] = setting(
        None, "color space of the source, such as ACEScg; default: EXR is scene-linear, others by their tags"
    )
    output_space: Optional[str] = setting(
        None, "color space of the result; default: the source's, EXR scene-linear and others for the screen"
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class OutputSettings:
    """What is written, and how."""

    codec: str = setting("h264", "codec of a video", choices=VIDEO_CODECS)
    quality: int = setting(
        18, "constant rate factor of h264 and hevc: lower is better", minimum=0, maximum=51
    )
    audio: str = setting("driving", "whose sound goes next to the image", choices=AUDIO_CHOICES)
    fps: Optional[str] = setting(
        None, "output rate, such as 25 or 30000/1001; default: the filmed source's, else the performance's"
    )
    exr_compression: str = setting(
        "zips",
        "compression of EXR: none, rle, zips (Nuke reads it fastest), zip, piz (exact), or pxr24, b44, b44a, "
        "dwaa:45, dwab:45 (lossy; the number is the loss)",
    )
    passes: str = setting(
        "beauty",
        "what is written of every frame, with commas: beauty (always), matte, person, head and clean (with "
        "--person-matte), occlusion (with --holdout), stmap, motion, regions (skin, eyes, mouth), crop (liveportrait), "
        "confidence, landmarks; layers and metadata in EXR, else files next to the output",
    )
    alpha: str = setting(
        "source",
        "what the result's alpha holds: the source's own, or the matte, so that only what was animated shows over a "
        "copy of the source (prores4444, ffv1, PNG, EXR)",
        choices=ALPHAS,
    )
    overwrite: bool = setting(False, "replace an output that exists")
    strict: bool = setting(False, "stop with an error where a setting has no effect, instead of noting it")

    def __post_init__(self) -> None:
        if self.codec not in VIDEO_CODECS:
            raise UnknownCodec(
                "The codec {!r} is not known; choose one of: {}.".format(self.codec, ", ".join(VIDEO_CODECS))
            )
        check(self)
        if not re.fullmatch(r"none|rle|zips?|piz|pxr24|b44a?|dwa[ab](:[0-9]{1,6})?", self.exr_compression):
            raise SettingError(
                f"exr_compression = {self.exr_compression!r} is not known; choose one of: none, rle, zips, zip, "
                "piz, pxr24, b44, b44a, dwaa, dwab, the last two with their loss, such as dwaa:45."
            )
        unknown = sorted(self.pass_names.difference(PASSES))
        if unknown:
            raise SettingError(
                "passes = {!r} names {!r}; known are: {}.".format(self.passes, unknown[0], ", ".join(PASSES))
            )

    @property
    def pass_names(self) -> FrozenSet[str]:
        """Names of the passes asked for."""
        return frozenset(name.strip() for name in self.passes.split(",") if name.strip())


@dataclass(frozen=True)
class UpscaleSettings:
    """Real-ESRGAN or another upscaling network after the render."""

    upscale: Optional[str] = setting(
        None,
        "make the result larger with x4plus, x4plus-anime, animevideov3, x2plus, general-x4v3 or a checkpoint file",
        path="file",
    )
    upscale_region: str = setting(
        "frame", "the whole result, or the drawn face alone (liveportrait)", choices=UPSCALE_REGIONS
    )
    upscale_scale: float = setting(
        0.0, "size of the result over the render's; 0: the network's own", minimum=0.0, maximum=16.0
    )
    upscale_height: int = setting(
        0,
        "height of the result in pixels, in place of a scale; 0: by the scale",
        minimum=0,
        maximum=16384,
        unit="px",
    )
    upscale_tile: int = setting(
        0,
        "side of the tiles the network is shown; 0: by the device; halved where memory runs out",
        minimum=0,
        maximum=4096,
        unit="px",
    )
    upscale_backend: str = setting(
        "auto", "runs the network on a processor: openvino where installed (auto), or torch", choices=BACKENDS
    )
    denoise: float = setting(
        1.0,
        "how much noise general-x4v3 takes away; its partner keeps the grain at 0",
        minimum=0.0,
        maximum=1.0,
    )
    steady: float = setting(
        0.7,
        "mixing of upscaled frames along their motion, so that detail does not flicker",
        minimum=0.0,
        maximum=0.95,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.upscale == "":
            raise SettingError("upscale names no model; write one, such as x4plus, or leave it out.")


@dataclass(frozen=True)
class ProvenanceSettings:
    """What the result says of itself."""

    sign: bool = setting(
        True,
        "sign the finished result with content credentials (C2PA), where a key is set up "
        "(`lpsuite provenance init`)",
    )
    generated_source: bool = setting(
        False, "the portrait is itself generated, so the signature calls the whole image generated"
    )
    watermark: Optional[str] = setting(
        None, "invisible mark inside the matte: a number from 0 to 4294967295, or hexadecimal such as 0x1F"
    )
    consent: Optional[str] = setting(
        None,
        "JSON file that says who is portrayed and what they allowed (docs/provenance.md); it is signed along",
        path="file",
    )
    require_consent: bool = setting(False, "refuse to render without a consent file that is valid today")

    def __post_init__(self) -> None:
        check(self)
        mark = self.watermark
        if mark is None:
            return
        is_number = re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}", mark)
        if not is_number or int(mark, 16 if "x" in mark.lower() else 10) >= 2**32:
            raise SettingError(f"watermark = {mark!r} is not a number from 0 to 4294967295, or such as 0x1F.")


@dataclass(frozen=True)
class RenderSettings:
    """All settings of one render."""

    face: FaceSettings = field(default_factory=FaceSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    mesh: MeshSettings = field(default_factory=MeshSettings)
    liveportrait: LivePortraitSettings = field(default_factory=LivePortraitSettings)
    sliders: SliderSettings = field(default_factory=SliderSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    input: InputSettings = field(default_factory=InputSettings)
    color: ColorSettings = field(default_factory=ColorSettings)
    upscale: UpscaleSettings = field(default_factory=UpscaleSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    provenance: ProvenanceSettings = field(default_factory=ProvenanceSettings)
