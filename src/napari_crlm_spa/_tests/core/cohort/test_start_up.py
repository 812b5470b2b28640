"""What starts quickly must not load the libraries of a cohort's statistics."""

import subprocess
import sys

import pytest

ALL = ("lifelines", "pandas", "scipy.stats", "matplotlib")
PACKAGE = "napari_crlm_spa"


def loaded(module, names):
    """Import a module in a fresh Python and return which of some libraries came along."""
    code = f"import sys, {module}; print(*[each for each in {names!r} if each in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        (PACKAGE, ALL),
        # Pages and maps of slides bring matplotlib; no statistics are needed to show help.
        (f"{PACKAGE}.cli.main", ("lifelines", "pandas", "scipy.stats")),
        (f"{PACKAGE}.plugin.widgets.panel", ("lifelines", "scipy.stats")),
        (f"{PACKAGE}.plugin.widgets.cohort.panel", ALL),
        (f"{PACKAGE}.core.cohort.study.fit", ALL),
        (f"{PACKAGE}.core.cohort.study.validate", ALL),
        (f"{PACKAGE}.core.cohort.simulate", ALL),
        (f"{PACKAGE}.core.cohort.prediction.nested_cv", ALL),
    ],
)
def test_importing_a_cohorts_code_is_cheap(module, heavy):
    assert loaded(module, heavy) == []
