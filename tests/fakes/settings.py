"""The settings groups read without the project's own table, to judge it."""

from dataclasses import fields


def setting_fields(group):
    """(name, default, metadata) of every field of a settings group, in order."""
    for item in fields(group):
        yield item.name, item.default, dict(item.metadata)
