"""Small folders of analyses and clinical tables, as the software and hospitals write them."""

import csv
import io
import itertools
import json

import numpy as np

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.table import BuildOptions, build_cohort
from napari_crlm_spa.core.store.names import FEATURES_CSV, READERS, RISK_JSON, RUN_JSON

SETTINGS = {
    "model": {"name": "crlm7", "version": "2", "sha256": "a" * 64, "temperature": 1.0},
    "options": {
        "stain": {"method": "none"},
        "tiling": {"tile_px": 224},
        "spatial": {"zones": {"components": 2}},
        "mixture_model": None,
    },
    "versions": {"napari-crlm-spa": "0.1.0"},
}


def features_text(slide, values, tumor_tiles=500, refusal=""):
    row = {"slide": slide, **values, "tissue_tiles": 2000, "contiguous_tumor_tiles": tumor_tiles}
    row["refusal"] = refusal
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow({k: "" if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()})
    return text.getvalue()


def values_of(seed):
    return dict(zip(SOFS, np.random.default_rng(seed).random(len(SOFS)).tolist(), strict=True))


def analysis(
    folder,
    slide,
    values=None,
    *,
    tumor_tiles=500,
    refusal="",
    fingerprint=None,
    recorded=None,
    **changes,
):
    """Write a slide's folder; the values depend on its name if none are given."""
    folder.mkdir(parents=True, exist_ok=True)
    values = values_of(sum(map(ord, slide))) if values is None else values
    (folder / FEATURES_CSV).write_text(features_text(slide, values, tumor_tiles, refusal))
    path = f"/slides/{folder.parent.name}/{slide}"
    own = {"path": path, "fingerprint": fingerprint or f"{folder.parent.name}/{slide}"}
    run = json.loads(json.dumps(SETTINGS)) | {"slide": recorded or own}
    run |= changes
    (folder / RUN_JSON).write_text(json.dumps(run))
    return values


def corrected(folder, reader, slide, values, **kwargs):
    place = folder / READERS / reader.casefold()
    place.mkdir(parents=True)
    (place / FEATURES_CSV).write_text(features_text(slide, values, **kwargs))
    (place / RISK_JSON).write_text(json.dumps({"review": {"reader": reader}}))


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def run_to_end(work):
    """Drive a generator; return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def build(analyses, clinical, **options):
    return run_to_end(build_cohort(analyses, clinical, BuildOptions(**options)))


def told(cohort, severity=None):
    """All that a cohort's problems say, as one text."""
    return "\n".join(
        f"{p.severity} {p.row} {p.patient} {p.column} {p.value}: {p.problem} {p.remedy}"
        for p in cohort.problems
        if severity in (None, p.severity)
    )


def assert_adds_up(cohort):
    for unit, left in (("patients", len(cohort)), ("slides", _used(cohort))):
        steps = [step for step in cohort.flow if step.unit == unit]
        if left is None:
            assert not steps
            continue
        assert steps[0].before == steps[0].after
        for before, after in itertools.pairwise(steps):
            assert after.before == before.after
        assert all(step.excluded >= 0 for step in steps)
        assert steps[-1].after == left
        assert steps[0].before - sum(step.excluded for step in steps) == left


def _used(cohort):
    return None if cohort.slides is None else int(cohort.slides["used"].sum())
