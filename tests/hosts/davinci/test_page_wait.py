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
