"""``lpsuite upscale`` and ``animate --upscale`` on real files."""

import numpy as np
import pytest

from lp_core.assemble import assemble
from lp_core.cli.main import run
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.settings import EngineSettings, OutputSettings, RenderSettings, UpscaleSettings

pytest.importorskip("spandrel")


@pytest.fixture
def stills(tmp_path, astronaut):
    """Two numbered 16-bit images of a face."""
    for number in (1001, 1002):
        write_image(tmp_path / f"in.{number}.png", astronaut[100:132, 200:240].astype(np.uint16) * 257)
    return tmp_path


def arguments(folder, output, *more):
    return [
        "upscale",
        str(folder / "in.%04d.png"),
        "-o",
        str(folder / output),
        "--model",
        "animevideov3",
        *more,
    ]


def test_numbers_depth_and_size(stills):
    assert run(arguments(stills, "out.%04d.png", "--progress", "none")) == 0
    with open_source(stills / "out.%04d.png") as source:
        frames = list(source)
        assert source.info.first_frame == 1001
    assert [frame.pixels.shape for frame in frames] == [(128, 160, 3)] * 2
    assert frames[0].pixels.dtype == np.uint16


def test_a_height_decides_the_size(stills):
    assert run(arguments(stills, "o.%04d.png", "--height", "80", "--progress", "none")) == 0
    with open_source(stills / "o.%04d.png") as source:
        assert (source.info.width, source.info.height) == (100, 80)


def test_an_output_that_exists_is_not_replaced(stills, capsys):
    run(arguments(stills, "out.%04d.png", "--progress", "none"))
    assert run(arguments(stills, "out.%04d.png", "--progress", "none")) == 15


def test_an_unknown_model_is_one_sentence(stills, capsys):
    assert (
        run(["upscale", str(stills / "in.%04d.png"), "-o", str(stills / "o.%04d.png"), "--model", "x9"]) == 41
    )
    assert "x4plus" in capsys.readouterr().err


def test_animate_upscales_what_it_renders(tmp_path, astronaut):
    write_image(tmp_path / "p.png", astronaut[0:230, 110:340][::2, ::2].copy())
    code = run(
        ["animate", str(tmp_path / "p.png"), "demo:still", "-o", str(tmp_path / "o.%04d.png"), "--frames", "1-2",
         "--engine", "mesh", "--upscale", "animevideov3", "--upscale-scale", "2", "--progress", "none"]
    )  # fmt: skip
    assert code == 0
    with open_source(tmp_path / "o.%04d.png") as source:
        assert (source.info.width, source.info.height) == (230, 230)


@pytest.mark.parametrize(
    "words,told",
    [
        (["animate", "P", "demo:still", "--engine", "mesh", "--upscale", "x4plus"], "--upscale-region frame"),
        (
            ["animate", "P", "demo:still", "--upscale", "x4plus", "--upscale-height", "900"],
            "scale and height",
        ),
    ],
)
def test_a_face_alone_is_enlarged_only_where_one_is_drawn(tmp_path, astronaut, capsys, words, told):
    write_image(tmp_path / "p.png", astronaut[0:230, 110:340].copy())
    words = [str(tmp_path / "p.png") if word == "P" else word for word in words]
    assert run([*words, "-o", str(tmp_path / "o.mp4"), "--upscale-region", "face"]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_a_render_that_steadies_over_time_is_not_cut_into_parts(tmp_path, astronaut):
    """What a part looks like would depend on who drew the one before."""
    write_image(tmp_path / "p.png", astronaut[0:230, 110:340].copy())

    def parts(**upscale):
        settings = RenderSettings(
            engine=EngineSettings(engine="mesh"),
            upscale=UpscaleSettings(**upscale),
            output=OutputSettings(audio="none"),
        )
        job = RenderJob(str(tmp_path / "p.png"), "demo:still", str(tmp_path / "o.mp4"), settings)
        return assemble(job).target.open_parts

    assert parts() is not None
    assert parts(upscale="animevideov3") is None
