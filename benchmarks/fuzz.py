"""Throws damaged input at every parser of ours; only the typed errors of the program may come out.

    python benchmarks/fuzz.py [--parser png] [--runs 1000000] [--seconds 60] [--seed 1] [--resume counts.json]
        [--atheris]

Seeded mutations of small valid inputs, in chunks of 10,000: with ``--resume`` the finished chunks of each parser are
kept in a file, and a run that was stopped goes on after them. With ``--atheris`` and one ``--parser`` the mutations are
guided by coverage, where atheris is installed (pip install atheris). Prints executions and rate; an exception that is
not the program's own ends the run with the input that raised it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.fuzz_parsers import EXPECTED, Parser, parsers  # noqa: E402

CHUNK = 10_000
"""Inputs of one seed; what is kept of a campaign are whole chunks."""
_WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
_BITS = (0, 1, 2, 4, 8, 16, 0x7F, 0x80, 0xFF)
_VALUE = re.compile(rb'"[^"\n]*"|-?[0-9][0-9.]*|true|false|null|\[[^][]*\]|\{[^{}]*\}')
_ODD_VALUES = (
    *(b"9" * 400, b"9" * 5000, b"-1", b"0", b"1e999", b"1e-320", b"0x" + b"f" * 400, b"NaN", b"-Infinity"),
    *(b"null", b"true", b"[]", b"{}", b'""', b'"a"', b'"\\ud800"', b'"\\u0000"', b'"\xff"', b"[" * 2000),
    *(b'{"a": 1}', b"[1]", b"2999-99-99"),
)
"""What texts have in place of their values: numbers without end, other types, half characters, depth."""


def mutated(seed: bytes, chance: random.Random, is_text: bool = False) -> bytes:
    """A damaged copy; of a text, values are replaced by odd ones too."""
    data, number = bytearray(seed), chance.random
    for _ in range(1 + int(number() * 6)):
        if is_text and number() < 0.5:
            _replace_value(data, number)
        else:
            _damage(data, number)
    return bytes(data)


def _replace_value(data: bytearray, number: Callable[[], float]) -> None:
    found = _VALUE.search(data, int(number() * (len(data) + 1)))
    if found is not None:
        data[found.start() : found.end()] = _ODD_VALUES[int(number() * len(_ODD_VALUES))]


def _damage(data: bytearray, number: Callable[[], float]) -> None:
    at = int(number() * (len(data) + 1))
    kind = int(number() * 6)
    if kind == 0 and data:
        data[at % len(data)] = int(number() * 256)
    elif kind == 1 and data:
        data[at % len(data)] = _BITS[int(number() * len(_BITS))]
    elif kind == 2:
        del data[at : at + 1 + int(number() * 8)]
    elif kind == 3:
        data[at:at] = data[at : at + 1 + int(number() * 16)]
    elif kind == 4:
        data[at : at + 4] = _WORDS[int(number() * len(_WORDS))]
    elif number() < 0.2:
        del data[at:]


def fuzz(name: str, parser: Parser, runs: int, until: float, seed: int, first: int = 0) -> int:
    """Runs a parser on chunks of damaged inputs; returns how many inputs of finished chunks it took.

    Args:
        name: of the parser.
        parser: what runs.
        runs: inputs.
        until: time.monotonic() at which to stop.
        seed: of the campaign.
        first: chunks that were run before.

    Raises:
        SystemExit: an exception came that is not the program's own; the text has the input.
    """
    done = 0
    for number in range(first, first + -(-runs // CHUNK)):
        chance = random.Random(f"{name} {seed} {number}")  # noqa: S311 - repeatable, not secret
        count = min(CHUNK, runs - done)
        for index in range(count):
            if index % 64 == 0 and time.monotonic() > until:
                return done + index
            data = mutated(parser.seeds[int(chance.random() * len(parser.seeds))], chance, parser.is_text)
            try:
                parser.call(data)
            except EXPECTED:
                continue
            except Exception as error:
                raise SystemExit(f"{name}: {type(error).__name__}: {error} by {data[:200]!r}") from error
        done += count
    return done


def guided(name: str, parser: Parser, runs: int, seconds: float, seed: int) -> None:
    """The same, guided by coverage; does not return."""
    import atheris

    atheris.instrument_all()

    def one(data: bytes) -> None:
        try:
            parser.call(data)
        except EXPECTED:
            return

    with tempfile.TemporaryDirectory() as corpus:
        for number, content in enumerate(parser.seeds):
            (Path(corpus) / str(number)).write_bytes(content)
        options = [f"-runs={runs}", f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=4096"]
        atheris.Setup([name, *options, "-print_final_stats=1", corpus], one)
        atheris.Fuzz()


def campaign(name: str, item: Parser, options: Any, kept: dict[str, list[float]]) -> None:  # noqa: ANN401
    """Runs what is left of one parser's inputs, keeps the counts and prints them."""
    runs = options.runs or (100_000 if item.is_heavy else 1_000_000)
    done, took = kept.get(name, [0, 0.0])
    until, start = time.monotonic() + options.seconds, time.perf_counter()
    while done < runs and time.monotonic() < until:
        before = time.perf_counter()
        count = fuzz(name, item, min(CHUNK, runs - int(done)), until, options.seed, int(done) // CHUNK)
        if options.resume is None or count == CHUNK:
            done, took = done + count, took + time.perf_counter() - before
            kept[name] = [done, took]
        if options.resume is not None:
            options.resume.write_text(json.dumps(kept))
        if count < CHUNK and done < runs:
            break
    took = took or time.perf_counter() - start
    print(f"{name}: {int(done)} executions in {took:.1f} s ({done / took:.0f} a second), no finding")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parser", help="one of them; default: all")
    parser.add_argument("--runs", type=int, help="default: 1,000,000, and 100,000 for heavy ones")
    parser.add_argument("--seconds", type=float, default=3600.0, help="at most, for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, help="file with the counts of what was run before")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage; needs --parser")
    options: Any = parser.parse_args(arguments)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a fresh folder in it
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        found = parsers(Path(folder))
        kept = json.loads(options.resume.read_text()) if options.resume and options.resume.exists() else {}
        for name in [options.parser] if options.parser else found:
            if options.atheris:
                guided(name, found[name], options.runs or 1_000_000, options.seconds, options.seed)
            campaign(name, found[name], options, kept)


if __name__ == "__main__":
    main()
