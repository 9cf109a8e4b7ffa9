from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnreadableMedia
from lp_core.frame import ColorTags
from lp_core.media.video.reader import VideoSource

INTRA = {"g": "1", "crf": "10"}
VIDEO_709 = ColorTags(matrix="bt709")


def grays(frames):
    """Which image of ``make_film`` each frame shows."""
    return [round((float(frame.pixels[..., 1].mean()) - 10) / 5) for frame in frames]


def read(path):
    with VideoSource(path) as source:
        frames = list(source)
    return source, frames


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
def test_rate_is_exact_and_every_picture_comes_once(make_film, name, rate):
    source, frames = read(make_film(name, rate=rate))
    assert source.info.rate.fps == rate
    assert grays(frames) == list(range(20))
    assert [frame.index for frame in frames] == list(range(20))
    assert frames[7].time_s == 7 / rate
    assert source.damaged_frames == ()
    assert not any("conformed" in note or "variable" in note for note in source.notes)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv", "a.h264"])
def test_the_count_is_known_before_decoding(make_film, name):
    assert VideoSource(make_film(name)).info.frame_count == 20


@pytest.mark.parametrize("width", [2, 62, 64, 66, 100, 130])
def test_pixels_are_contiguous_at_any_width(make_film, width):
    _, frames = read(make_film(count=2, size=(width, 18)))
    for frame in frames:
        assert frame.pixels.flags["C_CONTIGUOUS"]
        assert frame.pixels.shape == (18, width, 3)


def test_frames_stay_as_they_were_delivered(make_film):
    with VideoSource(make_film()) as source:
        kept, copies = [], []
        for frame in source:
            kept.append(frame.pixels)
            copies.append(frame.pixels.copy())
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))


@pytest.mark.parametrize(
    ("encoder", "pixel_format", "name"),
    [
        ("libx265", "yuv420p10le", "a.mp4"),
        ("prores_ks", "yuv422p10le", "a.mov"),
        ("ffv1", "yuv444p12le", "a.mkv"),
    ],
)
def test_more_than_eight_bits_become_sixteen(make_film, encoder, pixel_format, name):
    options = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
    source, frames = read(make_film(name, 3, encoder=encoder, pixel_format=pixel_format, options=options))
    assert source.info.bit_depth == 16
    assert frames[0].pixels.dtype == np.uint16
    assert abs(float(frames[2].pixels.mean()) - 20 * 257) < 257


def test_alpha_is_delivered(make_film):
    source, frames = read(make_film("a.mov", 2, encoder="qtrle", pixel_format="argb"))
    assert source.info.has_alpha
    assert frames[0].pixels.shape == (48, 64, 4)
    assert (frames[0].pixels[..., 3] == 255).all()


class TestVariableRate:
    # half at 30, half at 15 images a second, in ticks of 1/600 s
    TIMES = [k * 20 for k in range(10)] + [200 + k * 40 for k in range(10)]

    def test_nearest_picture_is_shown(self, make_film):
        tick = Fraction(1, 600)
        path = make_film("v.mp4", times=self.TIMES, tick=tick, rate=Fraction(30))
        source, frames = read(path)
        fps = source.info.rate.fps
        assert fps in (15, 30)
        assert any("variable" in note for note in source.info.notes)
        for frame in frames:
            distance = [abs(time * tick - frame.index / fps) for time in self.TIMES]
            assert distance[grays([frame])[0]] == min(distance)

    def test_length_is_kept(self, make_film):
        path = make_film(
            "v.mkv", times=[t * 5 // 3 for t in self.TIMES], tick=Fraction(1, 1000), rate=Fraction(30)
        )
        source, frames = read(path)
        assert abs(len(frames) / source.info.rate.fps - Fraction(600, 600)) <= Fraction(1, 15)

    def test_it_says_how_many_were_repeated(self, make_film):
        times = [k * 20 for k in range(15)] + [400 + k * 20 for k in range(5)]
        source, frames = read(make_film("gap.mp4", times=times, tick=Fraction(1, 600), rate=Fraction(30)))
        assert source.info.rate.fps == 30
        assert len(frames) == 25
        assert source.info.frame_count == 25
        assert any("5 frames were repeated, 0 left out" in note for note in source.notes)

    def test_jitter_of_a_constant_rate_changes_nothing(self, make_film):
        rng = np.random.default_rng(3)
        times = [k * 20 + int(rng.integers(-1, 2)) + 1 for k in range(20)]
        source, frames = read(make_film("jitter.mp4", times=times, tick=Fraction(1, 600), rate=Fraction(30)))
        assert grays(frames) == list(range(20))
        assert source.info.rate.fps == 30


class TestOrientation:
    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    @pytest.mark.parametrize("hflip", [False, True])
    def test_rotation_metadata_is_applied(self, make_film, degrees, hflip):
        stored = np.zeros((48, 64, 3), np.uint8)
        stored[:24, :32] = 200  # top left
        stored[:24, 32:] = 100  # top right
        path = make_film("r.mp4", 1, pictures=[stored], turn=(degrees, hflip, False), options=INTRA)
        source, (frame,) = read(path)
        # the library turns counter-clockwise, then mirrors
        expected = np.rot90(stored, degrees // 90)
        expected = np.fliplr(expected) if hflip else expected
        assert (source.info.height, source.info.width) == expected.shape[:2]
        assert frame.pixels.flags["C_CONTIGUOUS"]
        assert np.abs(frame.pixels.astype(int) - expected).mean() < 3


class TestColor:
    @pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
    def test_the_stated_matrix_is_used(self, make_film, matrix):
        # yuv 4:4:4 codes are written as they are; RGB must follow the formula of the matrix
        kr, kb = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}[matrix]
        codes = np.array([120, 90, 160])
        path = make_film("c.mkv", 1, encoder="ffv1", pixel_format="yuv444p", tags=ColorTags(matrix=matrix))
        data = _stored(path, codes, matrix)
        _, (frame,) = read(data)
        y, cb, cr = (codes[0] - 16) / 219, (codes[1] - 128) / 224, (codes[2] - 128) / 224
        red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
        green = (y - kr * red - kb * blue) / (1 - kr - kb)
        assert np.abs(frame.pixels[10, 10] - 255 * np.array([red, green, blue])).max() <= 1

    @pytest.mark.parametrize(("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 720), "bt709")])
    def test_untagged_films_are_guessed_by_size_and_say_so(self, make_film, size, matrix):
        with VideoSource(make_film(count=1, size=size)) as source:
            assert source.info.color.matrix == matrix
            assert any("does not say" in note for note in source.info.notes)

    def test_full_range_is_kept(self, make_film):
        path = make_film("j.avi", 3, encoder="mjpeg", pixel_format="yuvj420p")
        source, frames = read(path)
        assert source.info.color.is_full_range
        assert grays(frames) == [0, 1, 2]


def _stored(path, codes, matrix):
    """The same video with constant YCbCr codes."""
    import av

    out = path.with_name("codes.mkv")
    with av.open(str(out), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.colorspace = {"bt709": 1, "smpte170m": 6}[matrix]
        stream.codec_context.color_range = 1
        planes = np.broadcast_to(codes.astype(np.uint8)[:, None, None], (3, 48, 64)).copy()
        picture = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        picture.pts = 0
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out


class TestDamage:
    def test_a_lost_picture_is_replaced_and_reported(self, make_film, packets_of):
        path = make_film(options=INTRA, tags=VIDEO_709)
        _spoil(path, packets_of(path)[7])
        source, frames = read(path)
        assert grays(frames) == [0, 1, 2, 3, 4, 5, 6, 6, *range(8, 20)]
        assert source.damaged_frames == (7,)
        assert any("1 damaged frames" in note and note.rstrip(".").endswith("7") for note in source.notes)

    def test_the_first_one_takes_the_next(self, make_film, packets_of):
        path = make_film(options=INTRA, tags=VIDEO_709)
        _spoil(path, packets_of(path)[0])
        source, frames = read(path)
        assert grays(frames) == [1, *range(1, 20)]
        assert source.damaged_frames == (0,)

    def test_several_in_a_row_repeat_the_one_before(self, make_film, packets_of):
        path = make_film(options=INTRA, tags=VIDEO_709)
        for packet in packets_of(path)[5:9]:
            _spoil(path, packet)
        source, frames = read(path)
        assert grays(frames) == [0, 1, 2, 3, 4, 4, 4, 4, 4, *range(9, 20)]
        assert source.damaged_frames == (5, 6, 7, 8)

    def test_damage_within_a_picture_that_others_refer_to(self, make_film, packets_of, rng):
        base = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
        pictures = [np.roll(base, 3 * k, axis=1) for k in range(20)]
        path = make_film(size=(128, 96), pictures=pictures, options={"bf": "0", "crf": "20"}, tags=VIDEO_709)
        position, size = packets_of(path)[7]
        with path.open("r+b") as file:
            file.seek(position + size // 3)
            file.write(rng.bytes(size // 3))
        source, frames = read(path)
        assert len(frames) == 20
        assert source.damaged_frames == (7,)
        assert np.array_equal(frames[7].pixels, frames[6].pixels)

    def test_no_picture_at_all_can_be_decoded(self, make_film, packets_of):
        path = make_film(count=4, options=INTRA)
        for packet in packets_of(path):
            _spoil(path, packet)
        with pytest.raises((UnreadableMedia, EmptyVideo), match="film.mp4"):
            VideoSource(path)

    @pytest.mark.parametrize(
        ("name", "encoder", "pixel_format"),
        [
            ("t.mp4", "libx264", "yuv420p"),
            ("t.mov", "prores_ks", "yuv422p10le"),
            ("t.mkv", "ffv1", "yuv420p"),
        ],
    )
    def test_a_cut_film_delivers_what_it_has_then_says_so(self, make_film, name, encoder, pixel_format):
        rng = np.random.default_rng(0)
        noise = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(30)]
        path = make_film(
            name,
            30,
            encoder=encoder,
            pixel_format=pixel_format,
            pictures=noise,
            container_options={} if name.endswith("mkv") else {"movflags": "faststart"},
        )
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
        delivered = 0
        with (
            VideoSource(path) as source,
            pytest.raises(TruncatedMedia, match=r"after \d+ of 30 frames") as caught,
        ):
            for _ in source:
                delivered += 1
        assert 10 <= delivered <= 20
        assert f"after {delivered} of" in str(caught.value)

    def test_a_film_cut_before_its_tables(self, make_film):
        path = make_film(count=30)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(TruncatedMedia, match="film.mp4 was cut off"):
            VideoSource(path)


def _spoil(path, packet):
    position, size = packet
    with path.open("r+b") as file:
        file.seek(position + 4)
        file.write(bytes(size - 4))


class TestRefused:
    def test_text_named_mp4(self, tmp_path):
        path = tmp_path / "notes.mp4"
        path.write_text("this is not a video\n" * 50)
        with pytest.raises(UnreadableMedia, match="notes.mp4 cannot be decoded"):
            VideoSource(path)

    def test_empty_file(self, tmp_path):
        path = tmp_path / "empty.mp4"
        path.touch()
        with pytest.raises(EmptyVideo, match="0 bytes"):
            VideoSource(path)

    def test_missing_file(self, tmp_path):
        with pytest.raises(UnreadableMedia, match="does not exist"):
            VideoSource(tmp_path / "none.mp4")

    def test_folder(self, tmp_path):
        with pytest.raises(UnreadableMedia, match="is a folder"):
            VideoSource(tmp_path)

    def test_sound_only(self, tmp_path):
        import av

        path = tmp_path / "sound.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=48000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        with pytest.raises(EmptyVideo, match="no video track"):
            VideoSource(path)

    def test_it_is_read_once(self, make_film):
        with VideoSource(make_film()) as source:
            list(source)
            with pytest.raises(MediaError, match="open it again"):
                next(iter(source))

    def test_close_twice_and_in_the_middle(self, make_film):
        source = VideoSource(make_film())
        frames = iter(source)
        next(frames)
        source.close()
        source.close()

    def test_non_ascii_name(self, make_film):
        _, frames = read(make_film("größe 顔.mp4"))
        assert len(frames) == 20


def test_no_thread_is_left(make_film):
    before = threading.active_count()
    read(make_film())
    assert threading.active_count() == before
