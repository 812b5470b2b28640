"""One virtual environment a peer, beside a base that holds torch for all of them.

An environment of ours is beside the project's own instead, into which nothing is installed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import napari_crlm_spa

_HERE = Path(__file__).parent
BASE = "base"
#: How the names of our own environments begin.
_OURS = "ours"
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
            if _base_of(name):
                self.interpreter(BASE)
            return self._built(name)
        except CannotBuildError as error:
            self._failed[name] = str(error)
            raise

    def _built(self, name: str) -> Path:
        target = self._folder / name
        python = target / "bin" / "python"
        base = _base_of(name)
        beside = requirements(base) if base else b""
        if name.startswith(_OURS):
            beside = "\n".join(map(str, _own_packages())).encode()
        wanted = _digest(requirements(name), beside)
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
            paths = [_packages(self._folder / base)] if base else _own_packages()
            (packages / "base.pth").write_text("".join(f"{each}\n" for each in paths), "utf-8")
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


def _base_of(name: str) -> str:
    """Name the environment that one lies beside, if it is one of ours."""
    return "" if name == BASE or name.startswith(_OURS) else BASE


def _own_packages() -> list[Path]:
    """Where this project and what it needs are."""
    source = Path(napari_crlm_spa.__file__).parents[1]
    return [source, Path(sysconfig.get_path("purelib"))]


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
