"""Makes the small recordings in ``data/`` from the full ones: ``python make_small.py FULL_FOLDER``.

Of every array that a network or the chain gives, every n-th number is kept so that at most 300 are left, of
the key points of modes and editor at most 60; inputs that follow from a rule are left out. Of the geometry
everything is kept but the images.
"""

import math
import sys
from pathlib import Path

import numpy as np

KEEP = 300  # numbers of an array of a network or the chain
KEEP_MODES = 60  # numbers of an array of an animation mode or an editor setting
HERE = Path(__file__).resolve().parent


def thin(array, keep):
    """Every n-th number of an array, flat."""
    return array.ravel()[:: math.ceil(array.size / keep)]


def main(folder):
    """Writes the small files."""
    full = np.load(Path(folder) / "parity_seedA.npz")
    small = {
        key: thin(full[key], KEEP) for key in full.files if key[:2] in ("F.", "M.", "W.", "G.", "S.", "E.")
    }
    small |= {key: full[key] for key in full.files if key.startswith("in.") and full[key].size < KEEP}
    np.savez_compressed(HERE / "data" / "networks.npz", **small)
    modes = {key: full[key] for key in full.files if key.startswith(("modes.", "smooth."))}
    is_result = ("modes.x_d", "modes.edit.x_d")
    modes = {k: thin(v, KEEP_MODES) if k.startswith(is_result) else v for k, v in modes.items()}
    np.savez_compressed(HERE / "data" / "modes.npz", **modes)
    full = np.load(Path(folder) / "geometry_seedA.npz")
    geometry = {key: full[key] for key in full.files if not key.startswith("paste.")}
    np.savez_compressed(HERE / "data" / "geometry.npz", **geometry)


if __name__ == "__main__":
    main(sys.argv[1])
