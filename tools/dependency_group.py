"""Print the packages of a dependency group of pyproject.toml, one a line.

pip can do this itself from version 25.1 on (``pip install --group``); the pip that a fresh
virtual environment of Python 3.11 brings is older.
"""

import sys
import tomllib
from pathlib import Path

groups = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["dependency-groups"]
print("\n".join(groups[sys.argv[1]]))
