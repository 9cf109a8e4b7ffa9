"""Every network and the whole chain against recordings of the official code, fp32."""

# ruff: noqa: E402 - imports follow the check for the library

import numpy as np
import pytest

pytest.importorskip("torch")

from parity_arrays import liveportrait as arrays

SEED = 20240703


def check_all(recording, found):
    for key, array in found.items():
        recording.check(key, array)


@pytest.fixture(scope="session")
def stored(pictures):
    """The recorded inputs that follow from no rule."""
    with np.load(pictures.HERE / "data" / "networks.npz") as small:
        return {key: small[key] for key in small.files if key.startswith("in.")}


@pytest.fixture(scope="session")
def appearance(networks):
    return arrays.appearance(networks, SEED)


@pytest.fixture(scope="session")
def motion(networks):
    return arrays.motion(networks, SEED)


@pytest.fixture(scope="session")
def small_motion(networks, appearance, motion):
    return arrays.small_motion(networks, appearance[0], motion[2]["M.x"])


@pytest.fixture(scope="session")
def large_motion(networks, stored):
    return arrays.large_motion(networks, SEED, stored)


@pytest.fixture(scope="session")
def picture(networks):
    return arrays.picture(networks, SEED)


@pytest.fixture(scope="session")
def small_networks(networks, motion, stored):
    return arrays.small_networks(networks, motion[2]["M.x"], stored)


@pytest.fixture(scope="session")
def chain_points(networks, motion):
    return arrays.chain_points(networks, motion[:2])


@pytest.fixture(scope="session")
def chain(networks, appearance, chain_points):
    return arrays.chain(networks, appearance[0], *chain_points)


def test_inputs_follow_their_rules(pictures, full_recordings, stored):
    with np.load(full_recordings / "parity_seedA.npz") as full:
        np.testing.assert_array_equal(pictures.image("source"), full["in.source"])
        for index, picture in enumerate(full["in.driving"]):
            np.testing.assert_array_equal(pictures.image(f"driving{index}"), picture)
        assert len(stored) == 4
        for key, array in stored.items():
            np.testing.assert_array_equal(array, full[key])


def test_appearance_extractor_gives_the_recorded_volume(appearance, recording):
    _, found = appearance
    assert len(found) == 13
    check_all(recording, found)


def test_motion_extractor_gives_the_recorded_motion(motion, recording):
    *_, found = motion
    assert len(found) == 22
    check_all(recording, found)


def test_warping_gives_the_recorded_feature_for_small_motion(small_motion, recording):
    check_all(recording, small_motion)


def test_warping_gives_the_recorded_feature_for_large_motion(large_motion, recording):
    assert len(large_motion) == 20
    check_all(recording, large_motion)


def test_generator_gives_the_recorded_picture(picture, recording):
    assert len(picture) == 13
    check_all(recording, picture)


def test_small_networks_give_the_recorded_offsets(small_networks, recording):
    assert len(small_networks) == 4
    check_all(recording, small_networks)


def test_chain_gives_the_recorded_key_points(chain_points, recording):
    recording.check("E.x_d", chain_points[1].numpy())


@pytest.mark.slow
def test_chain_gives_the_recorded_pictures(chain, recording):
    assert len(chain) == 4
    check_all(recording, chain)
    assert np.quantile(recording.difference("E.out.sub", chain["E.out.sub"]), 0.999) <= 1e-4


def test_every_recorded_array_is_held_against_something(
    recording, appearance, motion, small_motion, large_motion, picture, small_networks
):
    found = {*appearance[1], *motion[2], *small_motion, *large_motion, *picture, *small_networks}
    found |= {"E.x_d", "E.out0.mean", "E.out0.std", "E.out.sub"}
    recorded = {key for key in recording.arrays if key[:2] in ("F.", "M.", "W.", "G.", "S.", "E.")}
    assert found == recorded
