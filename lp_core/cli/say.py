"""``lpsuite say``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.output import say as write_line
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import KeyUnusable


def _list_voices(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value:
        return
    from lp_core.speech.voices.registry import installed_voices

    for info in installed_voices():
        write_line(f"{info.id:24} {info.language:12} {info.gender:8} {info.title}; {info.license}")
    context.exit()


@click.command(short_help="Let a portrait say a text.")
@click.argument("portrait")
@click.argument("text", required=False, default="")
@click.option("-o", "--output", required=True, help="Video to write.")
@click.option(
    "--voice", default="", help="Voice: hibari:heart, espeak:de, piper:FILE.onnx, command:PROGRAM ..."
)
@click.option("--language", default="", help="Language of the text, such as en-US or de.")
@click.option(
    "--speed", type=float, default=1.0, show_default=True, metavar="0.5..2", help="Speed of the speech."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Another number gives another take.",
)
@click.option("--subtitles", metavar="FILE", default="", help="Write subtitles: .srt or .vtt.")
@click.option("--burn-subtitles", is_flag=True, help="Draw the subtitles on the frames.")
@click.option("--frame", default="", metavar="W:H", help="Aspect ratio of the result, such as 9:16.")
@click.option("--frame-height", type=int, default=0, metavar="ROWS", help="Height of the result in pixels.")
@click.option(
    "--head-height",
    type=float,
    default=0.0,
    metavar="0.05..0.95",
    help="Height of the head as a part of the frame.",
)
@click.option(
    "--background", default="", help="#RRGGBB, image or video behind a portrait with alpha or a matte."
)
@click.option("--matte", metavar="FILE", default="", help="Image whose brightness is the portrait's opacity.")
@click.option("--otio", metavar="FILE", default="", help="Write a timeline with a clip for each scene.")
@click.option("--sound", metavar="FILE", default="", help="Keep the speech as a WAV file.")
@click.option(
    "--voices",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_voices,
    help="List voices and their licenses.",
)
@settings_options()
@progress_option
@debug_option
def say(
    portrait: str,
    text: str,
    output: str,
    progress: str,
    **values: Any,  # noqa: ANN401 - options and any setting's value
) -> None:
    """Lets PORTRAIT say TEXT.

    TEXT is plain text, SSML (<speak>...), or the name of a .txt file or a script (.md, .yaml) with scenes. A
    script may name its portraits itself: lpsuite say script.yaml -o out.mp4. Nothing is downloaded.
    """
    from lp_core.finishing.finish import Finish, Framing
    from lp_core.saying.say import SayJob
    from lp_core.saying.say import say as say_job
    from lp_core.saying.scenes import scenes_of

    own = {name: values.pop(name) for name in (
        "voice", "language", "speed", "seed", "subtitles", "burn_subtitles", "frame", "frame_height", "head_height",
        "background", "matte", "otio", "sound",
    )}  # fmt: skip
    defaults = {name: own[name] for name in ("voice", "language", "speed")}
    framing = Framing(own["frame"], own["head_height"], own["frame_height"])
    job = SayJob(
        scenes_of(portrait, text, defaults),
        output,
        settings_from(values),
        Finish(framing, own["background"], own["matte"]),
        own["seed"],
        own["subtitles"],
        own["burn_subtitles"],
        own["otio"],
        own["sound"],
    )
    with make_reporter(progress) as reporter:
        done = say_job(job, reporter.progress)
        reporter.done(done.render)
    if progress not in ("json", "openjd"):
        for voice, license_name in dict.fromkeys((sheet.voice, sheet.license) for sheet in done.sheets):
            write_line(f"Synthetic voice: {voice}, {license_name}.")
    if done.render.signature == "failed":
        click.get_current_context().exit(KeyUnusable.exit_code)
