"""Print the packages of a dependency group of pyproject.toml, quoted for a shell.

pip can do this itself from version 25.1 on (``pip install --group``); the pip that a fresh
virtual environment of Python 3.11 brings is older.
"""

import shlex
import sys
import tomllib
from pathlib import Path

groups = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["dependency-groups"]
print(" ".join(shlex.quote(package) for package in groups[sys.argv[1]]))
