"""The motion file: round trip, whole or not at all, constant memory."""

import errno
import shutil
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from fakes.motion import assert_equal, performance, taken_apart

from lp_core.errors import BadMotionFile, DiskFull, MotionError, NoWritePermission, OutputExists
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter, read_motion, write_motion
from lp_core.motion.files.lpmotion_header import HEADER_LIMIT
from lp_core.motion.sequence import MOTION_ARRAYS
from lp_core.timing import FrameRate

RATE = FrameRate.parse("29.97")


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "talk.lpmotion"
    write_motion(path, performance())
    return path


class TestRoundTrip:
    @pytest.mark.parametrize("rig", ["mesh478", "liveportrait21"])
    def test_everything_comes_back(self, tmp_path, rig):
        path = tmp_path / "Übung 動き.lpmotion"
        write_motion(path, performance(rig=rig))
        assert_equal(read_motion(path), performance(rig=rig))
        assert [item.name for item in tmp_path.iterdir()] == [path.name]

    @pytest.mark.parametrize(
        "fps", [Fraction(25), Fraction(24000, 1001), Fraction(0.1), Fraction(1000), Fraction(1, 7)]
    )
    def test_rates_stay_exact(self, tmp_path, fps):
        write_motion(tmp_path / "m", replace(performance(), rate=FrameRate(fps)))
        assert read_motion(tmp_path / "m").rate.fps == fps

    def test_any_rows_are_read(self, stored):
        whole = performance()
        with MotionReader(stored) as reader:
            assert (len(reader), reader.rate, reader.rig) == (5, RATE, "liveportrait21")
            assert_equal(reader.rows(1, 4), whole.rows(1, 4))
            np.testing.assert_array_equal(reader.column("confidence", 0, 5), whole.confidence)
            np.testing.assert_array_equal(reader.frame(4).expression, whole.frame(4).expression)

    @pytest.mark.parametrize("start,stop", [(-1, 2), (0, 6), (3, 2)])
    def test_rows_outside_are_refused(self, stored, start, stop):
        with MotionReader(stored) as reader, pytest.raises(MotionError, match="it has 5"):
            reader.rows(start, stop)

    def test_frames_one_at_a_time_make_the_same_file(self, tmp_path, stored):
        whole = performance()
        path = tmp_path / "single.lpmotion"
        with MotionWriter(path, whole.rate, whole.rig, whole.origin, whole.metadata) as writer:
            for frame in whole.frames():
                writer.append(frame)
            writer.commit()
        assert path.read_bytes() == stored.read_bytes()

    def test_extra_arrays_are_kept_and_0_where_frames_have_none(self, tmp_path):
        whole = performance(4)
        keypoints = np.random.default_rng(2).normal(size=(21, 3)).astype(np.float32)
        path = tmp_path / "extra.lpmotion"
        with MotionWriter(path, whole.rate, whole.rig, whole.origin, whole.metadata) as writer:
            for index, frame in enumerate(whole.frames()):
                writer.append(replace(frame, extras={"keypoints": keypoints} if index in (1, 2) else {}))
            writer.commit()
        assert_equal(read_motion(path), whole)
        wanted = np.stack([0 * keypoints, keypoints, keypoints, 0 * keypoints])
        np.testing.assert_array_equal(read_motion(path).extras["keypoints"], wanted)
        with MotionReader(path) as reader:
            np.testing.assert_array_equal(reader.rows(1, 3).extras["keypoints"], wanted[1:3])
            np.testing.assert_array_equal(reader.frame(2).extras["keypoints"], keypoints)
        assert set(safetensors.numpy.load_file(path)) == {*MOTION_ARRAYS, "keypoints"}

    def test_an_extra_array_with_impossible_numbers_is_refused(self, tmp_path):
        depth = np.array([0, 1, np.nan, 0, 0], np.float32)
        with pytest.raises(MotionError, match="frame 2"):
            write_motion(tmp_path / "m.lpmotion", replace(performance(), extras={"depth": depth}))

    def test_safetensors_reads_it(self, stored):
        arrays = safetensors.numpy.load_file(stored)
        for name in MOTION_ARRAYS:
            np.testing.assert_array_equal(arrays[name], getattr(performance(), name))

    def test_what_safetensors_writes_in_its_own_order_is_read(self, stored, tmp_path):
        content, _ = taken_apart(stored)
        whole = performance()
        safetensors.numpy.save_file(
            {name: getattr(whole, name) for name in MOTION_ARRAYS}, tmp_path / "m", content["__metadata__"]
        )
        assert_equal(read_motion(tmp_path / "m"), whole)

    def test_half_characters_of_odd_file_names_become_question_marks(self, tmp_path):
        write_motion(tmp_path / "m", replace(performance(), origin="clip\udcff.mp4"))
        assert read_motion(tmp_path / "m").origin == "clip?.mp4"

    def test_a_file_that_shrinks_while_open_is_noticed(self, stored):
        with MotionReader(stored) as reader:
            stored.write_bytes(stored.read_bytes()[:-8])
            with pytest.raises(BadMotionFile, match="truncated"):
                reader.frame(4)

    def test_close_may_be_called_twice(self, stored):
        reader = MotionReader(stored)
        reader.close()
        reader.close()


class TestWriter:
    def test_nothing_stands_under_the_name_before_commit_nor_after_abort(self, tmp_path):
        path = tmp_path / "m.lpmotion"
        with MotionWriter(path, RATE, "liveportrait21") as writer:
            writer.extend(performance())
            assert not path.exists()
            writer.abort()
            writer.abort()
        assert list(tmp_path.iterdir()) == []

    def test_a_crash_leaves_nothing(self, tmp_path):
        with pytest.raises(KeyboardInterrupt), MotionWriter(tmp_path / "m", RATE, "liveportrait21") as writer:
            writer.extend(performance())
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []

    def test_abort_after_commit_keeps_the_file(self, stored, tmp_path):
        with MotionWriter(tmp_path / "n", RATE, "liveportrait21") as writer:
            writer.extend(performance())
            writer.commit()
            writer.abort()
        assert len(read_motion(tmp_path / "n")) == 5

    def test_existing_output_needs_a_word(self, stored):
        before = stored.read_bytes()
        with pytest.raises(OutputExists, match="exists already"):
            write_motion(stored, performance(2))
        assert stored.read_bytes() == before
        write_motion(stored, performance(2), overwrite=True)
        assert len(read_motion(stored)) == 2

    def test_output_that_appears_meanwhile_is_kept(self, tmp_path):
        path = tmp_path / "m"
        with pytest.raises(OutputExists), MotionWriter(path, RATE, "liveportrait21") as writer:
            writer.extend(performance())
            path.write_text("someone else's")
            writer.commit()
        assert path.read_text() == "someone else's"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_folder_is_no_target(self, tmp_path):
        with pytest.raises(OutputExists, match="is a folder"):
            write_motion(tmp_path, performance(), overwrite=True)

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(NoWritePermission, match="folder does not exist"):
            write_motion(tmp_path / "no" / "m", performance())

    def test_a_folder_without_permission_is_told(self, tmp_path, monkeypatch):
        def deny(**_):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("lp_core.motion.files.lpmotion.tempfile.mkdtemp", deny)
        with pytest.raises(NoWritePermission, match="permission denied"):
            write_motion(tmp_path / "m", performance())

    def test_a_full_disk_is_told_and_cleaned_up(self, tmp_path, monkeypatch):
        def fill(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("lp_core.motion.files.lpmotion.shutil.copyfileobj", fill)
        with pytest.raises(DiskFull, match="does not fit"):
            write_motion(tmp_path / "m", performance())
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_disk_that_fills_up_underway_is_told_and_cleaned_up(self, tmp_path):
        with (
            pytest.raises(DiskFull, match="does not fit"),
            Path("/dev/full").open("r+b") as full,
            MotionWriter(tmp_path / "m", RATE, "mesh478") as writer,
        ):
            writer._spools["lips"].close()
            writer._spools["lips"] = full
            while True:
                writer.extend(performance(100, "mesh478"))
        assert list(tmp_path.iterdir()) == []

    def test_no_frame_is_no_motion(self, tmp_path):
        with (
            pytest.raises(MotionError, match="at least one frame"),
            MotionWriter(tmp_path / "m", RATE, "mesh478") as w,
        ):
            w.commit()
        with pytest.raises(MotionError, match="at least one frame"):
            write_motion(tmp_path / "m", performance().rows(0, 0))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "name,value,words",
        [
            ("lips", np.nan, "not finite"),
            ("scale", np.inf, "not finite"),
            ("expression", 1e30, "far too large"),
            ("rotation", 0.5, "not a rotation"),
            ("confidence", 1.5, "confidence"),
        ],
    )
    def test_what_could_not_be_read_is_not_written(self, tmp_path, name, value, words):
        bad = performance()
        getattr(bad, name)[3] = value
        with pytest.raises(MotionError, match=f"{words}.* frame 3"):
            write_motion(tmp_path / "m", bad)
        assert list(tmp_path.iterdir()) == []

    def test_another_rig_or_shape_is_refused(self, tmp_path):
        with MotionWriter(tmp_path / "m", RATE, "mesh478") as writer:
            with pytest.raises(MotionError, match="rig"):
                writer.extend(performance())
            with pytest.raises(MotionError, match="expression"):
                writer.append(performance().frame(0))
        with pytest.raises(MotionError, match="'cat'"):
            MotionWriter(tmp_path / "m", RATE, "cat")

    def test_texts_beyond_the_header_limit_are_refused(self, tmp_path):
        with pytest.raises(MotionError, match="too long"):
            write_motion(tmp_path / "m", replace(performance(), origin="x" * HEADER_LIMIT))
        assert list(tmp_path.iterdir()) == []


class TestConstantMemory:
    def peak(self, work):
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_writing_checking_and_reading_need_no_more_for_a_longer_motion(self, tmp_path):
        rows = performance(50, "mesh478")
        peaks = []
        for repeats in (12, 120):  # 600 frames are 3.6 MB, 6,000 are 36 MB
            path = tmp_path / f"{repeats}.lpmotion"

            def work(path=path, repeats=repeats):
                with MotionWriter(path, RATE, "mesh478") as writer:
                    for _ in range(repeats):
                        writer.extend(rows)
                    writer.commit()
                with MotionReader(path) as reader:
                    for start in range(0, len(reader), 100):
                        reader.rows(start, start + 100)

            peaks.append(self.peak(work))
        assert peaks[1] < 1.1 * peaks[0]
        assert peaks[1] < 16e6
        shutil.rmtree(tmp_path)
