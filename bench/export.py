"""``python -m bench.export LIBRARY CASE WEIGHTS MODEL``: write a case in a library's own format."""

import sys
from pathlib import Path

import numpy as np

from bench.cases import NETWORKS
from bench.peers import PEERS


def main() -> None:
    """Read the arguments above and export."""
    library, name, weights, model = sys.argv[1:]
    case = NETWORKS[name]
    with np.load(weights) as stored:
        PEERS[library].export(case.build(), dict(stored), case.batch_size, Path(model))


if __name__ == "__main__":
    main()
