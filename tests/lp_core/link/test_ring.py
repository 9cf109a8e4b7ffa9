"""The shared-memory ring: layout, hostile headers, no torn frame, and what happens when rings come and go."""

import contextlib
import os
import shutil
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lp_core.errors import WorkerError
from lp_core.link.ring import BGRA, HEADER_SIZE, LONGEST_MESSAGE, SLOTS, STATES, RingReader, RingWriter

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def ring(tmp_path):
    writer = RingWriter(tmp_path / "a.ring", 4, 2)
    yield writer
    writer.close()


def pixels(value, width=4, height=2):
    return bytes([value]) * (width * height * 4)


def test_a_frame_comes_out_as_it_went_in(ring):
    with RingReader(ring.path) as reader:
        assert reader.read() is None
        picture = bytes(range(32))
        assert ring.write(picture, 123) == 1
        frame = reader.read()
        assert (frame.pixels, frame.width, frame.height, frame.stride) == (picture, 4, 2, 16)
        assert (frame.number, frame.time_ns) == (1, 123)
        assert frame.done_ns > 0
        assert reader.read() is None, "a frame is given once"


def test_the_newest_frame_wins(ring):
    with RingReader(ring.path) as reader:
        for value in range(1, 2 * SLOTS + 2):
            ring.write(pixels(value), value)
        assert reader.read().pixels == pixels(2 * SLOTS + 1)


def test_the_layout_is_the_documented_one(tmp_path):
    writer = RingWriter(tmp_path / "b.ring", 3, 2, BGRA)
    writer.tell("frozen", "Grüße")
    writer.write(bytes(range(24)), 77)
    data = writer.path.read_bytes()
    writer.close()
    magic, version, header, slots, session, stride = struct.unpack_from("<4s3I2Q", data)
    assert (magic, version, header, slots) == (b"LPSM", 1, HEADER_SIZE, 3)
    assert session == writer.session
    assert struct.unpack_from("<6I", data, 32) == (3, 2, 12, BGRA, 0, os.getpid())
    assert struct.unpack_from("<Q", data, 56) == (1,)
    assert struct.unpack_from("<Q2I", data, 72) == (2, STATES.index("frozen"), len("Grüße".encode()))
    assert data[88:].startswith("Grüße".encode())
    slot = header + 1 * stride
    assert struct.unpack_from("<3Q4I", data, slot) == (2, 1, 77, 3, 2, 12, BGRA)
    assert struct.unpack_from("<Q", data, slot + 56) == (1,)
    assert data[slot + 64 : slot + 88] == bytes(range(24))
    assert len(data) == header + slots * stride


def test_only_its_owner_reads_it(ring):
    if os.name != "posix":
        pytest.skip("file modes are POSIX")
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600


def test_state_and_message_travel(ring):
    with RingReader(ring.path) as reader:
        assert reader.status() == ("starting", "")
        ring.tell("failed", "The camera 0 cannot be opened; plug it in.")
        assert reader.status() == ("failed", "The camera 0 cannot be opened; plug it in.")
        ring.tell("running")
        assert reader.status() == ("running", "")
        ring.tell("running", "ü" * LONGEST_MESSAGE)
        assert reader.status()[1] == "ü" * (LONGEST_MESSAGE // 2), "cut between letters"


def test_the_reader_tells_what_it_drew(ring):
    assert ring.reader() == (0, None)
    with RingReader(ring.path) as reader:
        ring.write(pixels(9), 1000)
        reader.tell_drawn()
        beat, drawn = ring.reader()
        assert beat > 0
        assert drawn is None
        reader.tell_drawn(reader.read())
        beat, drawn = ring.reader()
        assert (drawn.number, drawn.time_ns, drawn.drawn_ns) == (1, 1000, beat)


def test_another_size_is_a_new_file_and_the_old_memory_stays(ring):
    with RingReader(ring.path) as reader:
        ring.write(pixels(7), 1)
        larger = RingWriter(ring.path, 8, 8)
        assert reader.read().pixels == pixels(7), "the old ring is still mapped and whole"
        assert reader.was_replaced
        assert reader.status()[0] == "replaced"
        ring.close()
        assert larger.path.exists(), "anyone who lost the name may not remove it"
        with RingReader(larger.path) as again:
            larger.write(pixels(8, 8, 8), 2)
            assert again.read().width == 8
        larger.close()


def test_closing_removes_the_file_and_says_so(ring):
    reader = RingReader(ring.path)
    ring.close()
    ring.close()
    assert not ring.path.exists()
    assert reader.status()[0] == "closed"
    reader.close()
    reader.close()


def test_a_frame_of_the_wrong_size_is_refused(ring):
    with pytest.raises(WorkerError, match="31 bytes where 32"):
        ring.write(bytes(31), 1)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, 4), (20000, 4)])
def test_an_impossible_size_is_refused(tmp_path, size):
    with pytest.raises(WorkerError, match="another size"):
        RingWriter(tmp_path / "c.ring", *size)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WorkerError, match="cannot be shared"):
        RingWriter(tmp_path / "none" / "c.ring", 4, 4)
    with pytest.raises(WorkerError, match="no live image"):
        RingReader(tmp_path / "none.ring")


@pytest.mark.parametrize(
    "offset,kind,value",
    [
        (0, "<4s", b"XXXX"), (4, "<I", 2), (8, "<I", 64), (12, "<I", 0), (12, "<I", 60), (24, "<Q", 8),
        (24, "<Q", 1 << 60), (32, "<I", 0), (32, "<I", 1 << 31), (36, "<I", 4000), (40, "<I", 1),
        (40, "<I", 1 << 30), (8, "<I", 4097),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_not_believed(ring, offset, kind, value):
    with ring.path.open("r+b") as file:
        file.seek(offset)
        file.write(struct.pack(kind, value))
    with pytest.raises(WorkerError):
        RingReader(ring.path)


@pytest.mark.parametrize("size", [0, 3, 80, 4096, 5000])
def test_a_file_that_was_cut_is_not_believed(ring, size):
    cut = ring.path.with_name("cut.ring")
    cut.write_bytes(ring.path.read_bytes()[:size])
    with pytest.raises(WorkerError):
        RingReader(cut)


def test_a_slot_in_writing_is_not_read(ring):
    with RingReader(ring.path) as reader:
        ring.write(pixels(5), 1)
        ring._words.long[(HEADER_SIZE + ring._slot_stride) // 8] += 1
        assert reader.read() is None
        assert reader.retries == 4


HAMMER = """
import sys
from lp_core.link.ring import RingWriter
writer = RingWriter(sys.argv[1], 320, 180)
pictures = [bytes([n]) * (320 * 180 * 4) for n in range(256)]
print("ready", flush=True)
n = 0
while True:
    n += 1
    writer.write(pictures[n % 256], n)
"""


def test_no_frame_is_torn_beside_a_writer_without_pauses(tmp_path):
    path = tmp_path / "d.ring"
    hammer = subprocess.Popen([sys.executable, "-c", HAMMER, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert hammer.stdout.readline() == b"ready\n"
        good = last = 0
        with RingReader(path) as reader:
            while good < 3000:
                frame = reader.read()
                if frame is None:
                    continue
                good += 1
                assert frame.pixels == bytes([frame.number % 256]) * len(frame.pixels)
                assert frame.time_ns == frame.number > last
                last = frame.number
    finally:
        hammer.kill()
        hammer.wait()
        hammer.stdout.close()


def test_the_status_is_never_torn(ring):
    stop = threading.Event()

    def talk():
        while not stop.is_set():
            for letter in "ab":
                ring.tell("running" if letter == "a" else "failed", letter * 800)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        with RingReader(ring.path) as reader:
            for _ in range(2000):
                state, message = reader.status()
                assert (state, message) in [("running", "a" * 800), ("failed", "b" * 800), ("starting", "")]
    finally:
        stop.set()
        talker.join()


C_READER = """
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include "ring.h"
int main(int count, char **names) {
    static char data[1 << 20];
    FILE *file = fopen(names[1], "rb");
    if (!file || fread(data, 1, sizeof data, file) < 4096) return 1;
    lp_ring_header *head = (void *)data;
    lp_ring_slot *slot = (void *)(data + head->header_size + head->latest % head->slot_count * head->slot_stride);
    printf("%.4s %u %ux%u %llu %u %.*s %zu %zu %u\\n", head->magic, head->version, head->width, head->height,
        (unsigned long long)slot->frame_end, head->state, (int)head->message_size, head->message,
        offsetof(lp_ring_header, reader_sequence), sizeof *slot, ((unsigned char *)(slot + 1))[5]);
    return 0;
}
"""


def test_c_reads_the_same(ring, tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler here")
    source = tmp_path / "reader.c"
    source.write_text(C_READER)
    program = tmp_path / "reader"
    include = ROOT / "lp_core" / "link"
    subprocess.run([compiler, f"-I{include}", str(source), "-o", str(program)], check=True, timeout=60)
    ring.tell("no_face", "hello")
    ring.write(bytes(range(32)), 1)
    done = subprocess.run([str(program), str(ring.path)], capture_output=True, text=True, timeout=10)
    assert done.stdout.split() == ["LPSM", "1", "4x2", "1", "3", "hello", "2048", "64", "5"]


def test_a_ring_file_that_is_longer_than_its_frames_is_read(tmp_path):
    with contextlib.closing(RingWriter(tmp_path / "a.ring", 2, 2)) as ring:
        ring.write(bytes(range(16)), 1)
        with ring.path.open("ab") as file:
            file.write(b"odd")
        with RingReader(ring.path) as reader:
            assert reader.read().pixels == bytes(range(16))
