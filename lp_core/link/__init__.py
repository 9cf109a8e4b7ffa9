"""How host programs reach the worker. Standard library only, Python 3.7 syntax.

``from lp_core.link.client import Client`` is all a host needs.
"""
