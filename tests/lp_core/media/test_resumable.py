"""Parts: a damaged, cut or missing one is rendered again, whatever the journal says."""

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from lp_core.errors import MediaError
from lp_core.frame import Frame
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import SRGB
from lp_core.media.open import open_parts, open_sink
from lp_core.media.resumable import discard_parts
from lp_core.timing import FrameRate

RATE = FrameRate(Fraction(25))
TOTAL = {"o.mp4": 100, "o.%03d.png": 6}


def spec():
    return SinkSpec(64, 48, RATE, 8, False, SRGB, codec="h264", quality=20, overwrite=False)


def frames(first, count):
    for index in range(first, first + count):
        pixels = np.full((48, 64, 3), index * 2 % 256, np.uint8)
        yield Frame(pixels, index, RATE.time_s(index))


@pytest.fixture(params=TOTAL)
def finished(request, tmp_path):
    """(function that opens the parts, their number, files of the parts in order)."""

    def reopen():
        return open_parts(tmp_path / request.param, open_sink, spec(), tmp_path / "parts")

    reopen().write(0, frames(0, TOTAL[request.param]))
    films = sorted((tmp_path / "parts").glob("*.mp4")) or sorted((tmp_path / "parts").glob("*.mov"))
    return reopen, TOTAL[request.param], films or sorted(tmp_path.glob("o.*.png"))


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


HARM = {
    "a bit": flip,
    "its end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "all of it": lambda path: path.write_bytes(b""),
    "the file": lambda path: path.unlink(),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_damaged_part_is_missing_and_no_other_one(finished, harm):
    reopen, total, files = finished
    harm(files[1])
    parts = reopen()
    parts.drop_damaged(total)
    (run,) = parts.missing(total)
    assert run.start == (48 if total == 100 else 1)
    parts = reopen()
    with pytest.raises(MediaError, match="frames? "):
        parts.join(total)
    parts.write(run.start, frames(run.start, len(run)))
    assert not parts.missing(total)
    parts.join(total)


def test_whole_parts_are_kept(finished):
    reopen, total, _ = finished
    parts = reopen()
    assert parts.drop_damaged(total) == []
    assert parts.missing(total) == []


@pytest.mark.parametrize("cut", [1, 40, 90])
def test_journal_that_was_cut_off_costs_its_last_line_alone(finished, cut, tmp_path):
    reopen, total, _ = finished
    journal = tmp_path / "parts" / "finished"
    journal.write_bytes(journal.read_bytes()[:-cut])
    parts = reopen()
    lost = parts.missing(total)
    assert sum(map(len, lost)) <= (52 if total == 100 else 2) + (48 if cut > 80 else 0)
    for run in lost:
        parts.write(run.start, frames(run.start, len(run)))
    again = reopen()
    assert again.missing(total) == []
    again.join(total)


class Killed(BaseException):
    """The process ends here."""


class MortalSink:
    """A sink of a process that is killed before or after its first image; a kill closes nothing."""

    def __init__(self, place, path, spec):
        self.place, self.sink, self.notes = place, open_sink(path, spec), ()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def write(self, frame):
        if self.place == "after":
            self.sink.write(frame)
        raise Killed


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("has_older", [True, False])
@pytest.mark.parametrize("kills", [1, 2])
def test_an_image_without_its_line_is_removed_and_an_older_one_is_not(tmp_path, place, has_older, kills):
    """A kill between an image and its line in the journal left a file that nobody knew."""
    image, overwriting = tmp_path / "o.001.png", replace(spec(), overwrite=True)
    if has_older:
        image.write_bytes(b"older")
    for _ in range(kills):
        open_part = partial(MortalSink, place)
        with pytest.raises(Killed):
            open_parts(tmp_path / "o.%03d.png", open_part, overwriting, tmp_path / "parts").write(
                0, frames(0, 3)
            )
    assert image.exists() == (has_older or place == "after")
    discard_parts(tmp_path / "parts")
    assert image.exists() == (has_older and place == "before")
    assert not (tmp_path / "parts").exists()


def test_results_are_flushed_before_they_are_called_done(tmp_path, monkeypatch):
    flushed = []
    for module in ("lp_core.files", "lp_core.media.resumable", "lp_core.media.image.sequence"):
        monkeypatch.setattr(f"{module}.flush", lambda path: flushed.append(path.suffix))
        monkeypatch.setattr(f"{module}.flush_folder", lambda path: flushed.append("folder"), raising=False)
    for name in TOTAL:
        flushed.clear()
        with open_sink(tmp_path / name, spec()) as sink:
            for frame in frames(0, 3):
                sink.write(frame)
            sink.commit()
        assert flushed == ([".mp4", "folder"] if name.endswith("mp4") else [".png"] * 3 + ["folder"])
