"""Numbers that R computed; how is described in reference/README.md."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "reference"


def reference_table(name):
    # pandas before 3 reads numbers to the last bit only if asked to
    return pd.read_csv(FOLDER / name, float_precision="round_trip")


def reference_grid(name):
    return np.loadtxt(FOLDER / name, delimiter=",", dtype=np.uint8)


def reference_numbers(name):
    return np.loadtxt(FOLDER / name, skiprows=1)


def reference_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
