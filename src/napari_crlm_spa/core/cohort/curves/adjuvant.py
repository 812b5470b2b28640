"""Whether patients with high spatial risk gain more from adjuvant chemotherapy.

The paper compares treated with untreated patients inside each risk group, with and without
preoperative chemotherapy. Different p values in two groups don't show that the benefit differs:
that is the question of the interaction test, which the paper lacks and which stands beside.
Patients whose treatment is unknown are left out after the risk groups were formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.cox.hazard_ratio import HazardRatio, hazard_ratio
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.curves.groupings import Grouping, two_level_grouping
from napari_crlm_spa.core.cohort.curves.logrank import logrank
from napari_crlm_spa.core.cohort.survival import Floats, Survival

if TYPE_CHECKING:
    import pandas as pd

ADJUVANT, PREOPERATIVE = "Adjuvant_chemotherapy", "Preoperative_chemotherapy"
WITHOUT, WITH = "without", "with"
#: Below so many deaths in one arm a comparison says little; our rule of thumb.
FEW_DEATHS = 5
NOTE = (
    "Adjuvant chemotherapy was not given at random: those treated may differ from those who were "
    "not. The interaction tells whether the benefit differs between risk groups; a small p in one "
    "group and a large one in the other does not."
)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class AdjuvantBenefit:
    """Benefit of adjuvant chemotherapy inside the groups of spatial risk.

    Parameters
    ----------
    benefit
        pretreated (all | no | yes), sof_group (all | low | high), n_without, n_with,
        events_without, events_with, chisq, p (log-rank), hr (with against without), hr_lower95,
        hr_upper95, note.
    interaction
        pretreated, term, coef, se, hr, hr_lower95, hr_upper95, lrt, p, n, events, p_wald. `lrt` and
        `p` are the likelihood-ratio test of the interaction, in its row alone. The last row is the
        three-way interaction with preoperative chemotherapy.
    warnings
        Sentences for the user.
    """

    benefit: pd.DataFrame
    interaction: pd.DataFrame
    warnings: tuple[str, ...]


def adjuvant_groupings(frame: pd.DataFrame, sof: Grouping) -> tuple[Grouping, ...]:
    """Return treated against untreated patients of each part of the cohort, for their curves.

    Names are ``adjuvant_<pretreated>_<sof group>``, e.g. ``adjuvant_no_high``. Without the column
    of preoperative chemotherapy, only ``adjuvant_all_*``; without that of adjuvant, none.
    """
    if ADJUVANT not in frame.columns:
        return ()
    treated = two_level_grouping(frame, ADJUVANT, levels=(WITHOUT, WITH))
    return tuple(
        treated.only(
            before & risk,
            f"adjuvant_{pretreated}_{group}",
            f"Adjuvant chemotherapy, {_words(pretreated, group)}",
        )
        for pretreated, before in _pretreatment(frame).items()
        for group, risk in _risk_groups(sof).items()
    )


def adjuvant_benefit(frame: pd.DataFrame, survival: Survival, sof: Grouping) -> AdjuvantBenefit:
    """Compare treated with untreated patients in each risk group, and test whether they differ.

    Parameters
    ----------
    frame
        One row per patient with `Adjuvant_chemotherapy` and `Preoperative_chemotherapy` as 0/1;
        holes are unknown.
    survival
        Follow-up in months.
    sof
        Groups of spatial risk, low and high.
    """
    import pandas as pd

    missing = [column for column in (ADJUVANT, PREOPERATIVE) if column not in frame.columns]
    if ADJUVANT in missing:
        empty = pd.DataFrame(columns=_BENEFIT), pd.DataFrame(columns=_INTERACTION)
        return AdjuvantBenefit(*empty, (f"There is no column {ADJUVANT}: its benefit is unknown.",))
    treated = two_level_grouping(frame, ADJUVANT, levels=(WITHOUT, WITH))
    parts = _pretreatment(frame)
    benefit = [
        _benefit(survival, treated, before & risk, pretreated, group)
        for pretreated, before in parts.items()
        for group, risk in _risk_groups(sof).items()
    ]
    tests: list[dict[str, object]] = []
    warnings = [_counted(treated, sof)]
    if missing:
        warnings.append(
            f"There is no column {PREOPERATIVE}: pretreated patients are not told apart."
        )
    for pretreated, before in parts.items():
        rows, warning = _interaction(survival, treated, sof, before, pretreated)
        tests += rows
        warnings.append(warning)
    if not missing:
        rows, warning = _three_way(survival, treated, sof, parts)
        tests += rows
        warnings.append(warning)
    return AdjuvantBenefit(
        pd.DataFrame(benefit, columns=_BENEFIT),
        pd.DataFrame(tests, columns=_INTERACTION),
        tuple(text for text in dict.fromkeys(warnings) if text),
    )


_BENEFIT = [
    *("pretreated", "sof_group", "n_without", "n_with", "events_without", "events_with"),
    *("chisq", "p", "hr", "hr_lower95", "hr_upper95", "note"),
]
_INTERACTION = [
    *("pretreated", "term", "coef", "se", "hr", "hr_lower95", "hr_upper95"),
    *("lrt", "p", "n", "events", "p_wald"),
]


def _benefit(
    survival: Survival, treated: Grouping, mask: Mask, pretreated: str, group: str
) -> dict[str, object]:
    keep = mask & treated.known
    part, arm = survival.joined().take(keep), treated.groups[keep] == WITH
    test = logrank(part, treated.groups[keep], levels=(WITHOUT, WITH))
    ratio = hazard_ratio(part, arm)
    deaths = [int(np.count_nonzero(part.event & side)) for side in (~arm, arm)]
    note = test.warning or ratio.warning
    if not note and min(deaths) < FEW_DEATHS:
        note = f"Fewer than {FEW_DEATHS} deaths in one arm: the comparison says little."
    values = (pretreated, group, *(int(count) for count in test.n), *deaths, test.chisq, test.p)
    return dict(
        zip(_BENEFIT, (*values, ratio.hr, ratio.hr_lower95, ratio.hr_upper95, note), strict=True)
    )


def _interaction(
    survival: Survival, treated: Grouping, sof: Grouping, mask: Mask, pretreated: str
) -> tuple[list[dict[str, object]], str]:
    keep = mask & treated.known & sof.known
    arm, high = _columns(keep, treated, sof)
    design = np.column_stack([arm, high, arm * high])
    names = (
        "adjuvant chemotherapy (low spatial risk)",
        "high spatial risk (without adjuvant chemotherapy)",
        "interaction: adjuvant chemotherapy x high spatial risk",
    )
    where = f"adjuvant chemotherapy and spatial risk, {_words(pretreated, 'all')}"
    return _fit(survival.joined().take(keep), design, names, range(3), pretreated, where)


def _three_way(
    survival: Survival, treated: Grouping, sof: Grouping, parts: dict[str, Mask]
) -> tuple[list[dict[str, object]], str]:
    keep = (parts["no"] | parts["yes"]) & treated.known & sof.known
    arm, high = _columns(keep, treated, sof)
    before = parts["yes"][keep].astype(np.float64)
    pairs = [arm * high, arm * before, high * before]
    design = np.column_stack([arm, high, before, *pairs, arm * high * before])
    name = "interaction: adjuvant chemotherapy x high spatial risk x pretreated"
    where = "adjuvant chemotherapy, spatial risk and preoperative chemotherapy"
    return _fit(survival.joined().take(keep), design, (name,), (6,), "all", where)


def _fit(
    survival: Survival,
    design: Floats,
    names: tuple[str, ...],
    told: range | tuple[int, ...],
    pretreated: str,
    where: str,
) -> tuple[list[dict[str, object]], str]:
    """Fit a Cox model whose last column is the interaction; tell some of its columns."""
    from scipy.special import chdtrc

    ratios = [HazardRatio()] * len(names)
    lrt = float("nan")
    warning = (
        f"The interaction of {where} cannot be estimated: one of the groups made by them has no "
        "patients or no deaths. Report the groups without the test."
    )
    if _estimable(survival, design):
        full = PartialLikelihood(survival, design).maximize()
        reduced = PartialLikelihood(survival, design[:, :-1]).maximize()
        if full.converged and reduced.converged:
            errors = np.sqrt(np.diag(np.linalg.inv(full.information)))
            ratios = [HazardRatio(float(full.coef[i]), float(errors[i])) for i in told]
            lrt, warning = max(2 * (full.loglik - reduced.loglik), 0.0), ""
    rows = []
    for name, ratio in zip(names, ratios, strict=True):
        test = lrt if name is names[-1] else float("nan")
        values = (pretreated, name, ratio.coef, ratio.se, ratio.hr, ratio.hr_lower95)
        tail = (ratio.hr_upper95, test, float(chdtrc(1, test)), len(survival), survival.n_events)
        rows.append(dict(zip(_INTERACTION, (*values, *tail, ratio.p_wald), strict=True)))
    return rows, warning


def _estimable(survival: Survival, design: Floats) -> bool:
    """Whether every cell of the crossed groups has deaths; without, a coefficient is infinite."""
    if not survival.n_events:
        return False
    deaths = design[survival.event]
    full_rank = np.linalg.matrix_rank(design - design.mean(axis=0)) == design.shape[1]
    cells = len(np.unique(design, axis=0))
    return bool(full_rank and len(np.unique(deaths, axis=0)) == cells)


def _columns(keep: Mask, treated: Grouping, sof: Grouping) -> tuple[Floats, Floats]:
    arm = (treated.groups[keep] == WITH).astype(np.float64)
    return arm, (sof.groups[keep] == sof.levels[-1]).astype(np.float64)


def _pretreatment(frame: pd.DataFrame) -> dict[str, Mask]:
    everybody = np.ones(len(frame), bool)
    if PREOPERATIVE not in frame.columns:
        return {"all": everybody}
    before = two_level_grouping(frame, PREOPERATIVE, levels=("no", "yes")).groups
    return {"all": everybody, "no": before == "no", "yes": before == "yes"}


def _risk_groups(sof: Grouping) -> dict[str, Mask]:
    # Without a risk group a patient is in none of the comparisons, so that the groups add up.
    return {"all": sof.known} | {level: sof.groups == level for level in sof.levels}


def _words(pretreated: str, group: str) -> str:
    treatment = {"all": "all patients", "no": "not pretreated", "yes": "pretreated"}[pretreated]
    return treatment if group == "all" else f"{treatment}, {group} spatial risk"


def _counted(treated: Grouping, sof: Grouping) -> str:
    unknown = int(np.count_nonzero(~treated.known & sof.known))
    if not unknown:
        return ""
    return (
        f"Adjuvant chemotherapy is unknown in {unknown} of {np.count_nonzero(sof.known)} patients "
        "with a spatial risk group; they are left out of its comparison, after the groups were "
        "formed."
    )
