"""LP Suite core: portrait animation for post-production, independent of any host program."""

from .version import __version__

__all__ = ["__version__"]
