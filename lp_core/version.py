"""The version number and the project's address, each in one place."""

__version__ = "0.2.0"
ADDRESS = "https://lp-suite.invalid"
"""Repository address. A placeholder until the owner sets it; the pages that repeat it are held equal by a test."""
