"""Makes the small recordings in ``data/`` from the full ones: ``python make_small.py FULL_FOLDER``.

Of every array that a network or the chain gives, every n-th number is kept so that at most 300 are left;
inputs that follow from a rule are left out.
"""

import math
import sys
from pathlib import Path

import numpy as np

KEEP = 300
HERE = Path(__file__).resolve().parent


def thin(array):
    """Every n-th number of an array, flat."""
    return array.ravel()[:: math.ceil(array.size / KEEP)]


def main(folder):
    """Writes the small files."""
    full = np.load(Path(folder) / "parity_seedA.npz")
    small = {key: thin(full[key]) for key in full.files if key[:2] in ("F.", "M.", "W.", "G.", "S.", "E.")}
    small |= {key: full[key] for key in full.files if key.startswith("in.") and full[key].size < KEEP}
    np.savez_compressed(HERE / "data" / "networks.npz", **small)


if __name__ == "__main__":
    main(sys.argv[1])
