"""The worker's client, as host scripts import it: ``from hosts.client import Client``.

It lives in ``lp_core.link.client``; started as a program, this file says whether the Python that runs it (a
host's own, perhaps) finds and reaches the worker.
"""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lp_core.errors import WorkerError
from lp_core.link.client import Client
from lp_core.link.messages import JobEvent, JobProgress, JobStatus
from lp_core.link.runtime import Address

__all__ = ["Address", "Client", "JobEvent", "JobProgress", "JobStatus", "WorkerError"]


def main() -> int:
    """Reaches the worker, starting one if none runs, and says so."""
    try:
        client = Client.connect()
        health = client.health()
    except WorkerError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write("LP Suite {} answers at {}.\n".format(health["version"], client.address.url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
