import pytest

from napari_crlm_spa.core.sample import SAMPLE_NAME, write_sample_slide


@pytest.fixture(scope="session")
def sample_path(tmp_path_factory):
    """The sample slide as a user gets it; drawn once for all tests of this folder."""
    path = tmp_path_factory.mktemp("sample") / SAMPLE_NAME
    reports = list(write_sample_slide(path))
    assert reports[-1].done == reports[-1].total == len(reports)
    return path
