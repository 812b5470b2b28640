"""The comparison with R as a page: ``python tools/parity_table.py docs/methods/parity.md``.

Every ``test_*_like_r.py`` has a function ``parity()`` that yields what it compares; the page shows
them all. A test asserts that the page names the same quantities, R's values and tolerances.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_crlm_spa._tests.core.cohort.parity import Parity

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "src" / "napari_crlm_spa" / "_tests"
PAGE = ROOT / "docs" / "methods" / "parity.md"
LIBRARIES = ("numpy", "scipy", "pandas", "lifelines")
COLUMNS = ("quantity", "R call", "R", "ours", "error", "tolerance")
#: Of a row, what does not depend on the machine: all but ours and the error.
LASTING = (0, 1, 2, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=PAGE, help="page to write")
    out = parser.parse_args().out
    found = list(comparisons())
    out.write_text(page(found), encoding="utf-8")
    failed = [each for each in found if not each.holds]
    print(f"{len(found)} comparisons, {len(failed)} beyond their tolerance, written to {out}")
    for each in failed:
        print(each)
    sys.exit(bool(failed))


def comparisons() -> Iterator[Parity]:
    """Compute every comparison, file by file."""
    for path in sorted(TESTS.rglob("test_*_like_r.py")):
        yield from _load(path).parity()


def _load(path: Path) -> ModuleType:
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    return importlib.import_module(name)


def page(found: Sequence[Parity]) -> str:
    """Return the page."""
    sections = list(dict.fromkeys(each.section for each in found))
    by_section = {name: [each for each in found if each.section == name] for name in sections}
    parts = [_head(found), _overview(by_section)]
    parts += [_section(name, rows) for name, rows in by_section.items()]
    return "\n".join(parts)


def _head(found: Sequence[Parity]) -> str:
    ours = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"""# Parity with R

{len(found)} numbers and series of numbers, computed by R and by this program on the same data:
public data that come with R's survival package (colon: death; pbc: death, transplants censored;
lung), and numbers made of them.

- R: {_r_versions()}
- ours: Python {platform.python_version()}, {ours}

The tests hold every comparison to its tolerance; the same code writes this page
(`python tools/parity_table.py`). A single value stands in full, of several the count and the
largest in size. The error is the largest difference, relative to R's largest value; or absolute,
where the tolerance says "abs". A tolerance wider than rounding has a reason: R stops its iterations
early (Cox models: at a relative change of 1e-9), draws random numbers (exact Gauss, Monte Carlo,
bootstrap with other random numbers), or rounds what it reports (Wald).
"""


def _r_versions() -> str:
    """R and its packages, as the reference's own README says."""
    text = (TESTS / "reference" / "README.md").read_text("utf-8")
    return " ".join(text.split("\n\n")[1].split(", on public")[0].split())


def _overview(by_section: dict[str, list[Parity]]) -> str:
    lines = [
        "| section | comparisons | hold | largest relative error | largest absolute error |",
        "|---|---|---|---|---|",
    ]
    for name, rows in by_section.items():
        holding = sum(each.holds for each in rows)
        relative = [each.error for each in rows if each.relative]
        absolute = [each.error for each in rows if not each.relative]
        worst = " | ".join(_error(max(errors)) if errors else "" for errors in (relative, absolute))
        lines.append(f"| [{name}](#{_anchor(name)}) | {len(rows)} | {holding} | {worst} |")
    return "\n".join(lines) + "\n"


def _section(name: str, rows: Sequence[Parity]) -> str:
    lines = [f"## {name}\n", f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join(_row(each))} |" for each in rows]
    return "\n".join(lines) + "\n"


def _row(each: Parity) -> tuple[str, ...]:
    tolerance = f"{each.tolerance:.0e}" if each.tolerance else "0"
    return (
        _text(each.quantity),
        f"`{_text(each.r_call)}`",
        _values(each.r),
        _values(each.ours),
        _error(each.error),
        tolerance if each.relative or not each.tolerance else f"{tolerance} abs",
    )


def _text(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def _values(values: object) -> str:
    numbers = np.asarray(values, float)
    if numbers.size == 1:
        return _number(float(numbers.reshape(-1)[0]))
    known = numbers[np.isfinite(numbers)]
    largest = known[np.argmax(np.abs(known))] if known.size else float("nan")
    return f"{numbers.size} values, largest {float(largest):.6g}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _error(error: float) -> str:
    return f"{error:.1e}" if error else "0"


def _anchor(name: str) -> str:
    kept = "".join(c for c in name.lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


def lasting(text: str) -> list[str]:
    """Return of a page what other machines compute alike: sections, quantities, R, tolerances."""
    kept, inside = [], False
    for line in text.splitlines():
        inside = inside or line.startswith("## ")
        if not inside:
            continue
        cells = line.replace("\\|", "\0").strip("| ").split(" | ")
        kept.append(line if len(cells) < len(COLUMNS) else " | ".join(cells[k] for k in LASTING))
    return [line.replace("\0", "\\|") for line in kept]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    main()
