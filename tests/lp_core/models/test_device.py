"""Where networks run: what auto takes, and what happens to memory that runs out."""

# ruff: noqa: E402 - imports follow the check for the library

import platform

import pytest

torch = pytest.importorskip("torch")

from lp_core.errors import OutOfMemory
from lp_core.models import device as module
from lp_core.models.device import Batches, choose_device, choose_dtype, has_fast_bf16, with_memory


@pytest.mark.parametrize(
    ("has_cuda", "has_mps", "taken"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest_device(monkeypatch, has_cuda, has_mps, taken):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)
    assert choose_device("auto") == taken
    assert choose_device("cuda:1") == "cuda:1"


@pytest.mark.parametrize(
    ("device", "has_bf16", "taken"),
    [
        ("cuda:1", False, torch.float16),
        ("cpu", True, torch.bfloat16),
        ("cpu", False, torch.float32),
        ("mps", True, torch.float32),
    ],
)
def test_auto_takes_what_the_device_computes_fast(monkeypatch, device, has_bf16, taken):
    monkeypatch.setattr(module, "has_fast_bf16", lambda: has_bf16)
    assert choose_dtype("auto", device) is taken
    assert choose_dtype("fp16", device) is torch.float16


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("processor: 0\nflags\t\t: fpu avx512_bf16 amx_bf16\n", True),
        ("processor: 0\nflags\t\t: fpu avx2 avx512f\n", False),
        ("Features\t: fp asimd bf16\n", True),
        ("", False),
    ],
)
def test_the_processor_tells_whether_it_has_bf16(monkeypatch, tmp_path, text, has):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    (tmp_path / "cpuinfo").write_text(text)
    assert has_fast_bf16(tmp_path / "cpuinfo") is has
    assert has_fast_bf16(tmp_path / "absent") is False


def test_work_is_tried_twice_and_no_more():
    calls = []

    def work(failures):
        calls.append(failures)
        if len(calls) <= failures:
            raise torch.OutOfMemoryError("planted")
        return "done"

    assert with_memory(lambda: work(1), "cpu") == "done"
    calls.clear()
    with pytest.raises(OutOfMemory, match=r"device cpu .* --engine mesh"):
        with_memory(lambda: work(2), "cpu")
    assert len(calls) == 2


def fail(error):
    raise error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)."),
    ],
)
def test_every_device_has_its_own_words_for_full_memory(error):
    with pytest.raises(OutOfMemory):
        with_memory(lambda: fail(error), "cpu")


@pytest.mark.parametrize("error", [ZeroDivisionError(), RuntimeError("shapes do not fit")])
def test_other_errors_pass(error):
    with pytest.raises(type(error)):
        with_memory(lambda: fail(error), "cpu")


class TestBatches:
    def room_for(self, most, sizes):
        def work(batch):
            sizes.append(len(batch))
            if len(batch) > most:
                raise torch.OutOfMemoryError("planted")
            return [item * item for item in batch]

        return work

    @pytest.mark.parametrize("most", [1, 2, 3, 8])
    def test_every_item_has_its_result_in_order_whatever_fits(self, most):
        sizes = []
        assert Batches(8, "cpu").run(range(13), self.room_for(most, sizes)) == [n * n for n in range(13)]
        assert sum(size for size in sizes if size <= most) == 13

    @pytest.mark.parametrize("most", [1, 2, 8])
    def test_a_batch_is_filled_where_asked(self, most):
        sizes = []
        work = self.room_for(most, sizes)
        assert Batches(8, "cpu").run(range(13), work, is_filled=True) == [n * n for n in range(13)]
        assert {size for size in sizes if size <= most} == {most}

    def test_a_filled_batch_that_does_not_fit_shrinks_to_its_one_item(self):
        sizes = []
        assert Batches(4, "cpu").run([3], self.room_for(1, sizes), is_filled=True) == [9]
        assert sizes == [4, 2, 1]

    def test_a_size_that_did_not_fit_is_not_tried_again(self):
        batches, sizes = Batches(8, "cpu"), []
        batches.run(range(8), self.room_for(4, sizes))
        batches.run(range(8), self.room_for(4, sizes))
        assert sizes == [8, 4, 4, 4, 4]

    def test_a_single_item_that_does_not_fit_is_an_error_after_a_second_try(self):
        sizes = []
        with pytest.raises(OutOfMemory, match="--engine mesh"):
            Batches(2, "cpu").run(range(3), self.room_for(0, sizes))
        assert sizes == [2, 1, 1]

    def test_nothing_gives_nothing_and_other_errors_pass(self):
        assert Batches(4, "cpu").run([], fail) == []
        with pytest.raises(ZeroDivisionError):
            Batches(4, "cpu").run([1, 2], lambda _: 1 / 0)
