"""Entry point of ``python -m lp_core``."""

from lp_core.cli.main import main

main()
