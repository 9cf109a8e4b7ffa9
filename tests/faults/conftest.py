"""Fixtures of the fault tests."""

from fakes.small_disk import small_disk

__all__ = ["small_disk"]
