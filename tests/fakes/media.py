"""Sources and sinks in memory."""

from lp_core.errors import DiskFull
from lp_core.frame import ClipInfo, Frame
from lp_core.timing import FrameRate


class MemorySource:
    """Delivers the images that ``make(index)`` makes, so that a long clip takes no memory."""

    def __init__(self, make, count, rate=25, fail_at=None, notes=(), **info):
        height, width = make(0).shape[:2]
        self.info = ClipInfo(width, height, FrameRate.parse(rate), count, **info)
        self.notes = notes
        self.damaged_frames = ()
        self.closed = 0
        self._make, self._count, self._fail_at = make, count, fail_at

    def __iter__(self):
        for index in range(self._count):
            if index == self._fail_at:
                raise self.failure
            yield Frame(self._make(index), index, self.info.rate.time_s(index))

    failure = RuntimeError("the planted fault of a source")

    def close(self):
        self.closed += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class MemorySink:
    """Keeps (or only counts) what is written; knows whether it was committed or aborted."""

    def __init__(self, spec=None, fail_at=None, keep=True, notes=()):
        self.spec, self.notes = spec, notes
        self.frames = []
        self.count = 0
        self.committed = self.aborted = False
        self._fail_at, self._keep = fail_at, keep

    def write(self, frame):
        if self.count == self._fail_at:
            raise DiskFull("out.mp4 could not be written because the disk is full; free some space.")
        self.count += 1
        if self._keep:
            self.frames.append(frame)

    def commit(self):
        self.committed = True

    def abort(self):
        self.aborted = not self.committed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.abort()
