"""``crlm-spa hgp agree`` writes a page; ``crlm-spa cohort report`` draws it again."""

from typer.testing import CliRunner

from napari_crlm_spa._tests.core.hgp.made_study import made_reviews, made_truth
from napari_crlm_spa.cli.cohort import app as cohort
from napari_crlm_spa.cli.hgp import app as hgp
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY


def run(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_page_is_named_and_can_be_drawn_again(tmp_path):
    reviews, study = tmp_path / "reviews.csv", tmp_path / "study"
    made_reviews(made_truth(12)).frame.drop(columns="pct_non_D").to_csv(reviews, index=False)
    done = run(hgp, "agree", reviews, "-o", study)
    assert done.exit_code == 0, done.output
    assert f"Report: {study / 'report.html'}" in done.output
    page = (study / "report.html").read_text("utf-8")
    assert RESEARCH_USE_ONLY in page and "Agreement between readers" in page
    (study / "report.html").unlink()
    again = run(cohort, "report", study, "--figures", "pdf")
    assert again.exit_code == 0, again.output
    assert (study / "report.html").read_text("utf-8") == page
    assert (study / "figures" / "growth-readers.pdf").is_file()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(hgp, "agree", tmp_path / "nothing.csv", "-o", tmp_path / "file" / "study")
    assert done.exit_code != 0
    assert "file" in str(done.exception)
