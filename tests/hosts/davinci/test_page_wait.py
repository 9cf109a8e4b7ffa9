"""The script that waits for the worker's page does not wait for ever."""

import pytest

from hosts.davinci.lp_resolve import job
from lp_core.errors import Cancelled


class NothingStarts:
    """A worker whose page is closed without a start."""

    asked = 0

    def jobs(self):
        self.asked += 1
        return []

    def prepare(self):
        return "p1"

    def is_prepared(self, name):
        return name == "p1" and not self.is_cancelled

    is_cancelled = False

    def login_link(self):
        return "http://127.0.0.1:1/login"


def test_it_gives_up_and_says_so(monkeypatch):
    monkeypatch.setattr(job, "PAGE_WAIT_S", 0.2)
    monkeypatch.setattr(job, "LOOK_S", 0.05)
    client, said = NothingStarts(), []
    with pytest.raises(Cancelled, match="Nothing was started on the page for half an hour"):
        job.by_page(client, {"output": "/o.mov"}, said.append, lambda _link: True)
    assert client.asked >= 3
    assert "half an hour" in said[-1]


def test_cancel_on_the_page_ends_it():
    client = NothingStarts()
    client.is_cancelled = True
    with pytest.raises(Cancelled, match="cancelled on the page"):
        job.by_page(client, {"output": "/o.mov"}, print, lambda _link: True)


def test_a_prepared_job_is_gone_once_it_is_cancelled(worker):
    name = worker.client.prepare()
    assert worker.client.is_prepared(name)
    worker.client.request("DELETE", f"/prepared/{name}")
    assert not worker.client.is_prepared(name)
    assert not worker.client.is_prepared("nobody")
