"""The handwritten digits that gradscape has built in, 8 x 8 pixels (UCI, see assets/data)."""

import pathlib

import numpy

FILE = pathlib.Path(__file__).resolve().parents[2] / "assets/data/uci/digits.csv.gz"


def digits():
    """Images `[1797, 64]` from 0 to 1, and their labels."""
    table = numpy.loadtxt(FILE, delimiter=",", dtype=numpy.float32)
    return table[:, :64] / 16, table[:, 64].astype(numpy.int64)
