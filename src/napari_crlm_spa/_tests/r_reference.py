"""Numbers that R computed; how is described in reference/README.md."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "reference"


def reference_table(name):
    return pd.read_csv(FOLDER / name)


def reference_grid(name):
    return np.loadtxt(FOLDER / name, delimiter=",", dtype=np.uint8)


def reference_numbers(name):
    return np.loadtxt(FOLDER / name, skiprows=1)


def reference_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
