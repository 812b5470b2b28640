"""One virtual environment a peer, beside a base that holds torch for all of them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

_HERE = Path(__file__).parent
BASE = "base"
_STAMP = "built-from.sha256"
_LAST_LINES = 3


class CannotBuildError(Exception):
    """An environment could not be made; the text is what pip said."""


class Environments:
    """Environments under a folder, made when they are first asked for and then kept.

    Parameters
    ----------
    folder
        Where they lie; nothing else is written.
    python
        The interpreter that they are made with.
    say
        Is told what takes long.
    """

    def __init__(self, folder: Path, python: str, say: Callable[[str], None]) -> None:
        self._folder, self._python, self._say = folder.resolve(), python, say
        self._failed: dict[str, str] = {}

    def interpreter(self, name: str) -> Path:
        """Return a peer's Python. Raises `CannotBuildError`, again and at once after a failure."""
        if name in self._failed:
            raise CannotBuildError(self._failed[name])
        try:
            if name != BASE:
                self.interpreter(BASE)
            return self._built(name)
        except CannotBuildError as error:
            self._failed[name] = str(error)
            raise

    def _built(self, name: str) -> Path:
        target = self._folder / name
        python = target / "bin" / "python"
        wanted = _digest(requirements(name), b"" if name == BASE else requirements(BASE))
        stamp = target / _STAMP
        if stamp.exists() and stamp.read_text("utf-8") == wanted and python.exists():
            return python
        self._say(f"building the environment of {name} ...")
        shutil.rmtree(target, ignore_errors=True)
        _run(self._python, "-m", "venv", target)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        listed = _HERE / f"requirements-{name}.txt"
        if name == BASE:
            _run(*pip, "--requirement", listed)
        else:
            packages = _packages(target)
            (packages / "base.pth").write_text(f"{_packages(self._folder / BASE)}\n", "utf-8")
            _run(*pip, "--no-deps", "--requirement", listed)
        stamp.write_text(wanted, "utf-8")
        return python


def requirements(name: str) -> bytes:
    """Return the pinned packages of an environment."""
    return (_HERE / f"requirements-{name}.txt").read_bytes()


def version(name: str, package: str) -> str:
    """Return the version to which an environment pins a package."""
    for line in requirements(name).decode().splitlines():
        pinned, _, number = line.partition("==")
        if pinned.strip().lower() == package.lower():
            return number.strip()
    raise ValueError(f"requirements-{name}.txt does not pin {package}")


def _packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said
        raise CannotBuildError(" / ".join(errors[-_LAST_LINES:]) or "the command failed")
