"""Reviews from wherever readers left them, in one table."""

import json

import pytest

from napari_crlm_spa._tests.core.hgp.test_association import finished
from napari_crlm_spa._tests.core.hgp.test_lines import feature, geojson, ndpa
from napari_crlm_spa._tests.core.hgp.test_sample import slides
from napari_crlm_spa.core.cohort.table.plain_csv import to_csv
from napari_crlm_spa.core.hgp.imports import ImportOptions, import_reviews, with_patients
from napari_crlm_spa.core.hgp.measures import patients_of, read_measures
from napari_crlm_spa.core.hgp.sample import SampleOptions, draw_sample
from napari_crlm_spa.core.hgp.sample_files import KEY_CSV, list_name, write_sample
from napari_crlm_spa.core.hgp.slide_review import SlideReview, write_slide_review
from napari_crlm_spa.core.store.names import READERS
from napari_crlm_spa.errors import AnnotationError, CohortError


def imported(*sources, **options):
    return finished(import_reviews(sources, ImportOptions(**options)))


@pytest.fixture
def sources(tmp_path):
    """A table, lines of NDP.view, lines of QuPath and an analysis with two readers' reviews."""
    (tmp_path / "table.csv").write_text("patient,slide,rater,pct_D,pct_R\nP1,s1,Ada,100,0\n")
    lines = (("D", [(0, 0), (750_000, 0)], False), ("R2", [(0, 0), (0, 250_000)], False))
    (tmp_path / "s2.ndpi.ndpa").write_text(ndpa(*lines))
    geojson(tmp_path / "s3.geojson", feature("R", [[0, 0], [100, 0]]))
    analysis = tmp_path / "results" / "s4"
    for name, seen in (("Ada", {"pct_D": 10, "pct_R": 90}), ("Ben", {"pct_D": 30, "pct_P": 70})):
        review = SlideReview("s4", name, patient="P4").committed(seen).shown("map")
        review = review.committed({"pct_D": 100})
        write_slide_review(analysis / READERS / name.lower(), review)
    return tmp_path


def test_all_kinds_of_sources_become_one_table(sources):
    files = (sources / name for name in ("table.csv", "s2.ndpi.ndpa", "s3.geojson", "results"))
    found = imported(*files, mpp=0.5, rater="Cem")
    told = found.reviews.frame.set_index(["slide", "rater"])["pct_D"].to_dict()
    assert told == {
        ("s1", "Ada"): 100,
        ("s2", "Ada"): 75,
        ("s3", "Cem"): 0,
        ("s4", "Ada"): 10,
        ("s4", "Ben"): 30,
    }
    assert found.lengths_um["s2"]["D"] == pytest.approx(750)
    assert found.lengths_um["s3"]["R"] == pytest.approx(50)
    assert found.reviews.problems == ()


def test_what_was_committed_before_the_map_was_shown_counts(sources):
    first = imported(sources / "results").reviews.frame
    last = imported(sources / "results", first=False).reviews.frame
    assert first["pct_D"].tolist() == [10, 30]
    assert last["pct_D"].tolist() == [100, 100]


def test_a_folder_gives_its_lines_and_reviews(sources):
    found = imported(sources, mpp=0.5)
    assert sorted(set(found.reviews.frame["slide"])) == ["s2", "s3", "s4"]


def test_lines_take_the_pixel_size_of_the_slide_beside_them(tmp_path, svs_path):
    """0.2525 um/px in the slide's header."""
    slide = tmp_path / "s9.svs"
    slide.write_bytes(svs_path.read_bytes())
    geojson(tmp_path / "s9.geojson", feature("D", [[0, 0], [100, 0]]))
    assert imported(tmp_path / "s9.geojson").lengths_um["s9"]["D"] == pytest.approx(25.25)
    (tmp_path / "drawn").mkdir()
    moved = (tmp_path / "s9.geojson").rename(tmp_path / "drawn" / "s9.geojson")
    assert imported(moved, slides=tmp_path).lengths_um["s9"]["D"] == pytest.approx(25.25)
    with pytest.raises(AnnotationError, match="--mpp"):
        imported(moved)


def test_a_blinded_list_needs_its_key_and_empty_rows_wait(tmp_path):
    write_sample(tmp_path, draw_sample(slides(10), SampleOptions(repeats_pct=0)))
    path = tmp_path / list_name("reader")
    lines = path.read_text().splitlines()
    at = lines[0].split(",").index("pct_D")
    cells = lines[1].split(",")
    cells[at] = "100"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
    with pytest.raises(CohortError, match="--key"):
        imported(path)
    found = imported(path, key=tmp_path / KEY_CSV)
    assert len(found.reviews) == 1
    assert found.reviews.problems == ()


def test_a_file_without_a_pattern_is_told(tmp_path):
    (tmp_path / "s1.csv").write_text("slide,pct_D\ns1,100\n")
    path = geojson(tmp_path / "s2.geojson", feature("ruler", [[0, 0], [9, 0]]))
    found = imported(tmp_path / "s1.csv", path, mpp=1.0)
    assert len(found.reviews) == 1
    assert any("no line of a pattern" in note for note in found.notes)
    assert any("ruler (1)" in note for note in found.notes)


def test_nothing_to_import_is_told(tmp_path):
    with pytest.raises(CohortError, match="No reviews"):
        imported(tmp_path)
    with pytest.raises(CohortError, match="not there"):
        imported(tmp_path / "absent.csv")
    (tmp_path / "a.json").write_text(json.dumps({"pct_D": 1}))
    with pytest.raises(CohortError, match="no list"):
        imported(tmp_path / "a.json")


def test_patients_come_from_the_table_of_measures(sources, tmp_path):
    path = tmp_path / "interfaces.csv"
    path.write_text("slide,patient,lesion,pct_D\ns2,P2,L1,50\ns1,other,,60\n")
    found = with_patients(
        imported(sources / "table.csv", sources / "s2.ndpi.ndpa").reviews,
        patients_of(read_measures(path)),
    )
    assert found.frame["patient"].tolist() == ["P1", "P2"]
    assert found.frame["lesion"].tolist() == ["", "L1"]


def test_measures_are_checked_row_by_row(tmp_path):
    path = tmp_path / "interfaces.csv"
    path.write_text(
        "slide,pct_D,pct_N,interface_mm,tumor_mm2,lesion\n"
        "s1,50,50,20,10,0\ns1,60,40,20,10,0\ns2,150,0,20,0,0\n,1,2,3,4,0\n"
    )
    found = read_measures(path)
    assert found.frame["slide"].tolist() == ["s1", "s2"]
    assert found.frame["perimeter_mm_per_mm2"].tolist()[0] == 2
    assert found.frame["pct_D"].isna().tolist() == [False, True]
    assert found.frame["perimeter_mm_per_mm2"].isna().tolist() == [False, True]
    assert found.frame["lesion"].tolist() == ["", ""]
    assert {each.row for each in found.problems} == {3, 4, 5}
    again = to_csv(found.frame)
    assert again.startswith("slide,patient,lesion,pct_D")


def test_a_table_that_measures_nothing_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("slide,age\ns1,60\n")
    with pytest.raises(CohortError, match="nothing to compare"):
        read_measures(path)
    path.write_text("name,pct_D\ns1,60\n")
    with pytest.raises(CohortError, match="no column slide"):
        read_measures(path)


def test_what_the_program_wrote_beside_an_analysis_is_no_readers_drawing(sources):
    """The measured interface lies as GeoJSON beside the reviews of the same analysis."""
    folder = sources / "results" / "s4"
    geojson(folder / "interface.geojson", feature("D", [[0, 0], [100, 0]]))
    geojson(folder / "tiles.geojson", feature("D", [[0, 0], [100, 0]]))
    (folder / "tiles.geojson").rename(folder / "tiles.geojson.gz")
    assert imported(folder).reviews.frame["rater"].tolist() == ["Ada", "Ben"]
    with pytest.raises(CohortError, match="not what a reader drew"):
        imported(folder / "interface.geojson")


@pytest.mark.parametrize("shares", ["0.6\ns2,1\ns3,0.35", "1\ns2,0\ns3,1"])
def test_shares_of_one_are_not_taken_for_percent(tmp_path, shares):
    path = tmp_path / "fractions.csv"
    path.write_text(f"slide,pct_D\ns1,{shares}\n")
    with pytest.raises(CohortError, match="no pct_D above 1"):
        imported(path)


def test_one_percent_may_be_written_if_the_rest_stands_beside_it(tmp_path):
    path = tmp_path / "little.csv"
    path.write_text("slide,pct_D,pct_R\ns1,1,99\n")
    assert imported(path).reviews.frame["pct_D"].tolist() == [1]
