"""Every network and the whole chain against recordings of the official code, fp32."""

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from lp_core.motion.implicit.motion import (
    bins_to_degrees,
    implicit_motion,
    rotation_from_degrees,
    transform_keypoints,
)


def every(*steps):
    """Slices with the given steps, 1 for all."""
    return tuple(slice(None, None, step) for step in steps)


class Taps:
    """Records the outputs of modules, sliced, while it is open."""

    def __init__(self, taps):
        self.taps, self.seen, self.handles = taps, {}, []

    def __enter__(self):
        for key, (module, steps) in self.taps.items():
            self.handles.append(module.register_forward_hook(self._hook(key, every(*steps))))
        return self.seen

    def _hook(self, key, slices):
        def keep(module, inputs, output):
            first = output[0] if isinstance(output, list | tuple) else output
            self.seen.setdefault(key, first[slices].float().cpu().numpy().copy())

        return keep

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()


def numbers(tensor, *steps):
    return tensor[every(*steps)].float().cpu().numpy()


def spread(tensor, axes):
    array = tensor.double().cpu().numpy()
    return array.mean(axis=axes), array.std(axis=axes)


@pytest.fixture(scope="session")
def appearance(networks, pictures):
    net = networks.appearance_extractor
    taps = {
        "F.first": (net.first, (1, 8, 8, 8)),
        "F.down0": (net.down_blocks[0], (1, 8, 8, 8)),
        "F.down1": (net.down_blocks[1], (1, 8, 4, 4)),
        "F.second": (net.second, (1, 8, 4, 4)),
    } | {f"F.res{i}": (net.resblocks_3d[i], (1, 4, 4, 8, 8)) for i in range(6)}
    with Taps(taps) as found:
        volume = networks.appearance(pictures.network_input("source"))
    mean, std = spread(volume[0], (-2, -1))
    found |= {"F.out.sub": numbers(volume, 1, 4, 4, 4, 4), "F.out.mean": mean, "F.out.std": std}
    return volume, found


@pytest.fixture(scope="session")
def motion(networks, pictures):
    net = networks.motion_extractor.detector
    taps = {
        "M.stem": (net.downsample_layers[0], (1, 8, 4, 4)),
        "M.stage0": (net.stages[0], (1, 8, 8, 8)),
        "M.stage1": (net.stages[1], (1, 8, 4, 4)),
        "M.stage2": (net.stages[2], (1, 8, 2, 2)),
        "M.stage3": (net.stages[3], (1, 8, 1, 1)),
        "M.pooled": (net.norm, (1, 1)),
    }
    labels = ("source", "driving0", "driving1", "driving2")
    with Taps(taps) as found:
        raw = networks.motion(pictures.network_input(*labels))
    for key in ("M.stem", *(f"M.stage{i}" for i in range(4))):
        found[key] = found[key][:1]
    arrays = {name: getattr(raw, name).cpu().numpy() for name in raw.__dataclass_fields__}
    found |= {f"M.raw.{name}": array for name, array in arrays.items()}
    angles = {name: bins_to_degrees(arrays[name]) for name in ("pitch", "yaw", "roll")}
    found |= {f"M.refined.{name}": angle[:, None] for name, angle in angles.items()}
    for name in ("kp", "exp"):
        found[f"M.refined.{name}"] = arrays[name].reshape(-1, 21, 3)
    found |= {f"M.refined.{name}": arrays[name] for name in ("t", "scale")}
    found["M.R"] = rotation_from_degrees(**angles)
    motions = [
        implicit_motion(found["M.R"][i], arrays["exp"][i], arrays["scale"][i], arrays["t"][i])
        for i in range(len(labels))
    ]
    keypoints = found["M.refined.kp"]
    found["M.x"] = np.stack([transform_keypoints(k, m) for k, m in zip(keypoints, motions, strict=True)])
    return motions, keypoints, found


def warped(case, result):
    mean, std = spread(result.out[0], (-2, -1))
    return {
        f"W.{case}.deformation.sub": numbers(result.deformation, 1, 2, 4, 4, 1),
        f"W.{case}.occlusion": numbers(result.occlusion, 1),
        f"W.{case}.out.sub": numbers(result.out, 1, 4, 4, 4),
        f"W.{case}.out.mean": mean,
        f"W.{case}.out.std": std,
    }


def as_points(array):
    return torch.from_numpy(np.asarray(array, dtype=np.float32)).reshape(-1, 21, 3)


def check_all(recording, found):
    for key, array in found.items():
        recording.check(key, array)


def test_inputs_follow_their_rules(pictures, full_recordings):
    with (
        np.load(full_recordings / "parity_seedA.npz") as full,
        np.load(pictures.HERE / "data" / "networks.npz") as small,
    ):
        np.testing.assert_array_equal(pictures.image("source"), full["in.source"])
        for index, picture in enumerate(full["in.driving"]):
            np.testing.assert_array_equal(pictures.image(f"driving{index}"), picture)
        stored = [key for key in full.files if key.startswith("in.") and key in small.files]
        assert len(stored) == 4
        for key in stored:
            np.testing.assert_array_equal(small[key], full[key])


def test_appearance_extractor_gives_the_recorded_volume(appearance, recording):
    _, found = appearance
    assert len(found) == 13
    check_all(recording, found)


def test_motion_extractor_gives_the_recorded_motion(motion, recording):
    *_, found = motion
    assert len(found) == 22
    check_all(recording, found)


@pytest.fixture(scope="session")
def small_motion(networks, appearance, motion):
    points = motion[2]["M.x"]
    result = networks.warping(appearance[0], kp_source=as_points(points[0]), kp_driving=as_points(points[1]))
    return warped("a", result)


def test_warping_gives_the_recorded_feature_for_small_motion(small_motion, recording):
    check_all(recording, small_motion)


@pytest.fixture(scope="session")
def large_motion(networks, pictures):
    with np.load(pictures.HERE / "data" / "networks.npz") as small:
        source, driving = (as_points(small[f"in.W.b.kp_{side}"]) for side in ("source", "driving"))
    dense = networks.warping_module.dense_motion_network
    glass = dense.hourglass
    taps = {
        "W.b.compress_bn": (dense.compress, (1, 1, 2, 4, 4)),
        "W.b.hourglass_in": (glass.encoder, (1, 1, 4, 8, 8)),
        "W.b.hourglass_out": (glass, (1, 4, 4, 8, 8)),
        "W.b.mask_logits": (dense.heads, (1, 1, 4, 8, 8)),
        "W.b.third": (networks.warping_module.third, (1, 4, 4, 4)),
    }
    for i, step in enumerate((8, 4, 2, 1, 1)):
        taps[f"W.b.enc{i}"] = (glass.encoder.down_blocks[i], (1, 16, 4, step, step))
    for i, step in enumerate((1, 1, 2, 4, 8)):
        taps[f"W.b.dec{i}"] = (glass.decoder.up_blocks[i], (1, 8, 4, step, step))
    with Taps(taps) as found:
        feature = pictures.noise("in:W.b.feature", (1, 32, 16, 64, 64))
        result = networks.warping(feature, kp_source=source, kp_driving=driving)
    return found | warped("b", result)


def test_warping_gives_the_recorded_feature_for_large_motion(large_motion, recording):
    assert len(large_motion) == 20
    check_all(recording, large_motion)


@pytest.fixture(scope="session")
def picture(networks, pictures):
    net = networks.spade_generator
    taps = {
        "G.b.fc": (net.fc, (1, 16, 4, 4)),
        "G.b.up_0": (net.up_0, (1, 16, 8, 8)),
        "G.b.up_1": (net.up_1, (1, 8, 8, 8)),
        "G.b.logits": (net.conv_img, (1, 1, 8, 8)),
    } | {f"G.b.middle{i}": (net.get_submodule(f"G_middle_{i}"), (1, 16, 4, 4)) for i in range(6)}
    with Taps(taps) as found:
        result = networks.generator(pictures.noise("in:G.b.feature", (1, 256, 64, 64), 0.8))
    assert result.shape == (1, 3, 512, 512)
    mean, std = spread(result[0], (-2, -1))
    return found | {"G.b.out.sub": numbers(result, 1, 1, 4, 4), "G.b.out.mean": mean, "G.b.out.std": std}


def test_generator_gives_the_recorded_picture(picture, recording):
    assert len(picture) == 13
    check_all(recording, picture)


def stitched(networks, source, driving):
    offsets = networks.stitching(torch.cat([source.flatten(1), driving.flatten(1)], dim=1))
    result = driving + offsets[:, :63].reshape(-1, 21, 3)
    result[..., :2] += offsets[:, None, 63:]
    return offsets, result


def test_small_networks_give_the_recorded_offsets(networks, motion, recording, pictures):
    with np.load(pictures.HERE / "data" / "networks.npz") as small:
        eye, lip = (torch.from_numpy(small[f"in.{name}_ratio"]) for name in ("eye", "lip"))
    points = as_points(motion[2]["M.x"])
    offsets, moved = stitched(networks, points[:1], points[1:2])
    source = points[:1].flatten(1).expand(2, -1)
    found = {
        "S.stitching": offsets,
        "S.stitched_x": moved,
        "S.eye": networks.eye(torch.cat([source, eye], dim=1)).reshape(-1, 21, 3),
        "S.lip": networks.lip(torch.cat([source, lip], dim=1)).reshape(-1, 21, 3),
    }
    check_all(recording, {key: value.numpy() for key, value in found.items()})


@pytest.fixture(scope="session")
def chain_points(networks, motion):
    """Key points of the recorded chain: still, relative, all regions, stitched; (3, 21, 3)."""
    (source, first, *others), (keypoints, *_), _ = motion
    result = []
    for driving in (first, *others):
        moved = implicit_motion(
            driving.rotation @ first.rotation.T @ source.rotation,
            source.expression + driving.expression - first.expression,
            source.scale * driving.scale / first.scale,
            source.translation + driving.translation - first.translation,
        )
        result.append(transform_keypoints(keypoints, moved))
    still = as_points(transform_keypoints(keypoints, source))
    return still, stitched(networks, still.expand(3, -1, -1), as_points(result))[1]


@pytest.fixture(scope="session")
def chain(networks, appearance, chain_points):
    """The three pictures of the chain, drawn one by one as they are asked for."""
    still, driven = chain_points
    source = networks.prepare_source(appearance[0], still)
    drawn = {}

    def draw(index):
        if index not in drawn:
            drawn[index] = networks.generator(networks.warp(source, driven[index : index + 1]).out).cpu()
        return drawn[index]

    return draw


def test_chain_gives_the_recorded_key_points(chain_points, recording):
    recording.check("E.x_d", chain_points[1].numpy())


@pytest.mark.slow
def test_chain_gives_the_recorded_first_picture(chain, recording):
    mean, std = spread(chain(0)[0], (-2, -1))
    check_all(recording, {"E.out0.mean": mean, "E.out0.std": std})


@pytest.mark.slow
def test_chain_gives_the_recorded_pictures(chain, recording):
    pictures = torch.cat([chain(index) for index in range(3)])
    sub = numbers(pictures, 1, 1, 4, 4)
    recording.check("E.out.sub", sub)
    assert np.quantile(recording.difference("E.out.sub", sub), 0.999) <= 1e-4


def test_every_recorded_array_is_held_against_something(
    recording, appearance, motion, small_motion, large_motion, picture
):
    found = {*appearance[1], *motion[2], *small_motion, *large_motion, *picture}
    found |= {
        "S.stitching",
        "S.stitched_x",
        "S.eye",
        "S.lip",
        "E.x_d",
        "E.out0.mean",
        "E.out0.std",
        "E.out.sub",
    }
    recorded = {key for key in recording.arrays if key[:2] in ("F.", "M.", "W.", "G.", "S.", "E.")}
    assert found == recorded
