"""Where each setting is on the node, and which have no knob and why. A new setting joins the section of its group."""

from typing import Dict, Iterator, Tuple

from lp_core.settings.table import all_settings

TABS: Dict[str, Tuple[Tuple[str, Tuple[str, ...]], ...]] = {
    "Drive": (
        (
            "Engine",
            ("engine", "device", "precision", "weights", "batch", "compile", "landmarker", "official_compat"),
        ),
        (
            "Motion",
            (
                "region",
                "motion",
                "strength",
                "pose_strength",
                "expression_strength",
                "smoothing",
                "driving_option",
                "on_lost",
                "driving_offset",
            ),
        ),
        (
            "Stitching and retargeting",
            ("stitching", "eye_retargeting", "lip_retargeting", "normalize_lip", "steady_eyes"),
        ),
        ("Speech", ()),
    ),
    "Output": (
        (
            "Picture",
            (
                "detail",
                "mouth",
                "filter",
                "dense_motion",
                "camera",
                "shading",
                "max_turn",
                "max_shift",
                "holdout",
                "person_matte",
                "clean_plate",
                "calibration",
                "exr_compression",
            ),
        ),
        (
            "Upscale",
            (
                "upscale_region",
                "upscale_scale",
                "upscale_height",
                "upscale_tile",
                "upscale_backend",
                "denoise",
                "steady",
            ),
        ),
        ("Colour", ("ocio", "input_space")),
        ("Provenance", ("sign", "generated_source", "watermark", "consent", "require_consent")),
    ),
}
"""Tab -> sections of it -> settings with a knob of the same name, made from the setting alone."""

REST: Dict[str, str] = {
    "face": "Motion",
    "motion": "Motion",
    "engine": "Engine",
    "mesh": "Picture",
    "liveportrait": "Stitching and retargeting",
    "speech": "Speech",
    "output": "Picture",
    "upscale": "Upscale",
    "color": "Colour",
    "provenance": "Provenance",
}
"""Settings group -> section that ends with those of its settings that no table here names."""

MADE_OF: Dict[str, Tuple[str, ...]] = {
    "source_face": ("source_face", "source_face_at"),
    "driving_face": ("driving_face", "driving_face_at"),
    "reference": ("reference", "reference_frame"),
    "frames": ("first", "last"),
    "passes": (
        "pass_person",
        "pass_head",
        "pass_clean",
        "pass_occlusion",
        "pass_regions",
        "pass_shading",
        "pass_crop",
        "pass_confidence",
        "pass_landmarks",
    ),
    "upscale": ("upscale", "upscale_file"),
}
"""Setting -> the knobs it is made of, where one knob of the same name is not enough."""

WITHOUT_KNOB: Dict[str, str] = {
    "edit": "the sliders of the tab Expression are sent as curves",
    "face": "the knob cast names a file",
    "edit_file": "the sliders of the tab Expression are written into it",
    "handles": "the range says exactly which frames are rendered",
    "layer": "plates hold one layer",
    "view": "plates hold one view",
    "missing": "plates are whole",
    "interlaced": "plates are progressive",
    "references": "plates hold their own media",
    "alpha": "the layer matte holds it",
    "codec": "results are EXR sequences",
    "quality": "results are EXR sequences",
    "audio": "results are EXR sequences",
    "fps": "the project's rate",
    "output_space": "results stay in the plate's own numbers",
    "overwrite": "every state of the knobs has a separate folder",
    "strict": "the worker notes settings without effect in the summary of the job",
}
"""Setting -> why it has no knob."""

ALWAYS_WRITTEN = ("beauty", "matte", "stmap", "motion")
"""Passes that the node's own layers are made of."""


def sections(tab: str) -> Iterator[Tuple[str, Tuple[str, ...]]]:
    """(title, names of its settings) for each section of a tab."""
    named = {name for parts in TABS.values() for _, names in parts for name in names}
    rest = [item for item in all_settings() if item.name not in {*named, *MADE_OF, *WITHOUT_KNOB}]
    for title, names in TABS[tab]:
        yield title, (*names, *(item.name for item in rest if REST.get(item.group) == title))
