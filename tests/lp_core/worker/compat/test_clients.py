import base64
import json

import pytest

from lp_core.errors import NotAllowed, SettingError
from lp_core.worker.compat.clients import ApiClient, client_of, read_clients
from lp_core.worker.compat.links import Links, open_links

ANNA, BORIS = ApiClient("anna", "a-key-of-anna:0001"), ApiClient("boris", "key-of-boris-0002")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"authorization": f"Basic {encoded(ANNA.key)}"}, ANNA),
        ({"authorization": f"Basic {ANNA.key}"}, ANNA),
        ({"authorization": f"basic {encoded(BORIS.key + ':')}"}, BORIS),
        ({"authorization": f"Basic {encoded('me@example.com:' + BORIS.key)}"}, BORIS),
        ({"authorization": f"Bearer {BORIS.key}"}, BORIS),
        ({"x-api-key": BORIS.key}, BORIS),
        ({"x-api-key": BORIS.key[:-1]}, None),
        ({"x-api-key": ""}, None),
        ({"authorization": "Basic "}, None),
        ({"authorization": "Basic !!!"}, None),
        ({"authorization": f"Digest {BORIS.key}"}, None),
        ({}, None),
    ],
)
def test_whose_key_it_is(headers, found):
    assert client_of((ANNA, BORIS), headers) == found


def keys_file(tmp_path, values, mode=0o600):
    path = tmp_path / "keys.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    path.chmod(mode)
    return path


def test_clients_of_a_file(tmp_path):
    path = keys_file(
        tmp_path, [{"name": "anna", "key": ANNA.key, "per_day": 5}, {"name": "b", "key": BORIS.key}]
    )
    first, second = read_clients(path)
    assert (first.per_day, second.name) == (5, "b")
    assert first.webhook_secret != second.webhook_secret


@pytest.mark.parametrize(
    "values",
    [
        "[", "{}", [], [1], [{"name": "a"}], [{"name": "a", "key": "short"}], [{"name": "", "key": "x" * 20}],
        [{"name": "a", "key": "x" * 20, "role": "all"}], [{"name": "a", "key": "x" * 20, "per_day": "5"}],
        [{"name": "a", "key": "x" * 20, "per_day": 0}], [{"name": "a", "key": "x" * 20}] * 2,
        [{"name": "a", "key": "x" * 20}, {"name": "b", "key": "x" * 20}],
    ],
)  # fmt: skip
def test_files_that_are_refused(tmp_path, values):
    with pytest.raises(SettingError):
        read_clients(keys_file(tmp_path, values))


def test_a_file_that_others_can_read_is_refused(tmp_path):
    with pytest.raises(SettingError):
        read_clients(keys_file(tmp_path, [{"name": "a", "key": "x" * 20}], 0o644))


def test_links_expire_and_are_of_one_file(tmp_path):
    now = [1000.0]
    links = Links(b"secret", lambda: now[0])
    path = links.path_of("tlk_1", "result.mp4")
    expires, signature = (word.partition("=")[2] for word in path.partition("?")[2].split("&"))
    links.check("tlk_1", "result.mp4", int(expires), signature)
    for talk, name, until, signed in (
        ("tlk_2", "result.mp4", int(expires), signature),
        ("tlk_1", "result.srt", int(expires), signature),
        ("tlk_1", "result.mp4", int(expires) + 1, signature),
        ("tlk_1", "result.mp4", int(expires), "0" * 64),
    ):
        with pytest.raises(NotAllowed):
            links.check(talk, name, until, signed)
    now[0] += 2 * 86400
    with pytest.raises(NotAllowed):
        links.check("tlk_1", "result.mp4", int(expires), signature)
    assert open_links(tmp_path).secret == open_links(tmp_path).secret != b"secret"
