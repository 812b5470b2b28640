"""Who asks for Breslow's ties gets them in every Cox model of a study, not in the first alone."""

import numpy as np
import pytest

from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.cohort.table.contents import Cohort


def finished(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def cohort():
    """Follow-up in whole years: nearly all deaths are tied."""
    made = simulate_cohort(SimulateOptions(n_patients=300, seed=4)).cohort()
    years = np.ceil(made.patients[made.time] / 12)
    return Cohort("tied", made.patients.assign(**{made.time: 12 * years}))


@pytest.fixture(scope="module")
def studies(cohort):
    return {
        ties: finished(fit_cohort(cohort, FitOptions(selection=SelectionOptions(ties=ties))))
        for ties in ("efron", "breslow")
    }


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_all_models_of_a_study_handle_tied_deaths_as_asked(cohort, studies, ties):
    tables = studies[ties].tables
    coefficients, patients = tables["coefficients"].frame, tables["patients"].frame
    survival = Survival.of(patients[cohort.time], patients[cohort.event])
    frame = cohort.patients.assign(score=patients["score"].to_numpy())
    adjusted = coefficients[coefficients["model"] != "final"]
    assert adjusted["model"].nunique() == 2
    for _, rows in adjusted.groupby("model"):
        fit = fit_cox(frame, survival, list(rows["column"]), ties=ties)
        assert rows["coef"].to_numpy() == pytest.approx(fit.coef, rel=1e-12)
    univariate = tables["univariate"].frame.set_index("column")
    alone = fit_cox(cohort.patients, survival, ["CRS_score"], ties=ties)
    assert univariate.loc["CRS_score", "coef"] == pytest.approx(alone.coef[0], rel=1e-12)


def test_predictions_rest_on_the_same_ties(studies):
    predicted = {
        ties: study.tables["calibration"].frame["predicted"].to_numpy()
        for ties, study in studies.items()
    }
    assert not np.array_equal(predicted["breslow"], predicted["efron"])


def test_a_frozen_model_has_the_baseline_hazard_of_its_fit(cohort):
    for ties in ("efron", "breslow"):
        fit = fit_cox(cohort.patients, cohort.survival, ["CRS_score", "Gender"], ties=ties)
        model = PredictionModel.of_fit(fit)
        times, hazard = fit.baseline()
        at_zero = model.cumulative_hazard * np.exp(-float(model.center @ model.coef))
        assert model.death_times == pytest.approx(times)
        assert at_zero == pytest.approx(hazard, rel=1e-12)
