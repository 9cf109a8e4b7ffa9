"""Engines kept warm: nothing is loaded twice in a row on a device."""

from dataclasses import replace

from fakes.engine import ToyEngine

from lp_core.engines.registry import WarmEngines
from lp_core.settings import EngineSettings, MotionSettings, RenderSettings


class Loaded(ToyEngine):
    def __init__(self, name, settings, networks):
        super().__init__()
        self.info = replace(self.info, name=name)
        self.settings, self.networks = settings, networks

    def with_settings(self, settings):
        return Loaded(self.info.name, settings, self.networks)


def test_the_engine_of_a_device_is_taken_again_under_new_settings():
    loads = []

    def make(name, settings):
        loads.append((name, settings.engine.device))
        return Loaded(name, settings, networks=len(loads))

    warm = WarmEngines(make)
    on_cpu = RenderSettings(engine=EngineSettings(device="cpu"))
    weaker = replace(on_cpu, motion=MotionSettings(strength=0.5))
    first = warm.make("liveportrait", on_cpu)
    again = warm.make("liveportrait", weaker)
    assert again.networks == first.networks
    assert again.settings is weaker
    warm.make("liveportrait", RenderSettings(engine=EngineSettings(device="cuda")))
    assert warm.make("liveportrait", on_cpu).networks == first.networks
    warm.make("mesh", on_cpu)
    assert warm.make("liveportrait", on_cpu).networks != first.networks
    assert loads == [
        ("liveportrait", "cpu"),
        ("liveportrait", "cuda"),
        ("mesh", "cpu"),
        ("liveportrait", "cpu"),
    ]
