import pytest

from napari_crlm_spa._tests.core.hgp.made_study import (
    made_cohort,
    made_measures,
    made_reviews,
    made_truth,
)
from napari_crlm_spa._tests.core.hgp.test_association import finished
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.core.hgp.agree import agree
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.report.cohort import write_cohort_report


def made(folder, patients, raters=("Ada", "Ben", "Cem"), **options):
    """A study of made patients, measured and followed up, with imperfect readers."""
    truth = made_truth(patients)
    work = agree(
        made_reviews(truth, raters, noise=8.0),
        made_measures(folder, truth, noise=9.0),
        made_cohort(truth),
        AgreeOptions(**{"resamples": 20, "k_extremes": 10, **options}),
        name="Simulated growth patterns",
    )
    return finished(work)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made"), 40)


@pytest.fixture(scope="session")
def written(study, tmp_path_factory):
    """The folder of a study with its report."""
    folder = tmp_path_factory.mktemp("growth")
    write_study(folder, study)
    write_cohort_report(folder, study)
    return folder
