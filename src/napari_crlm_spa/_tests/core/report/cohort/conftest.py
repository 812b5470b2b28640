import pytest

from napari_crlm_spa._tests.core.cohort.made_study import made_study
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.core.report.cohort import write_cohort_report


@pytest.fixture(scope="session")
def study():
    return made_study(150)


@pytest.fixture(scope="session")
def written(study, tmp_path_factory):
    """The folder of a study with its report."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, study)
    write_cohort_report(folder, study)
    return folder
