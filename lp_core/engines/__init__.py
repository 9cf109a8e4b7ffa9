"""Engines: a prepared portrait plus a motion gives pixels."""
