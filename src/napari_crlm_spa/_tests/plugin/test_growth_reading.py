"""Reading growth patterns as a reader does: lists, blindness, Commit, the log."""

from qtpy.QtCore import QPointF, Qt

from napari_crlm_spa._tests.plugin.growth_reading import (  # noqa: F401 - fixtures
    TIMEOUT_MS,
    place_fixture,
    seen_place_fixture,
)
from napari_crlm_spa.core.cohort.table.cells import read_sheet
from napari_crlm_spa.core.hgp.imports import ImportOptions, import_reviews
from napari_crlm_spa.core.hgp.reviews import read_reviews
from napari_crlm_spa.core.hgp.sample_files import KEY_CSV
from napari_crlm_spa.core.hgp.slide_review import read_slide_review
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.plugin.growth.reading_list import open_list
from napari_crlm_spa.plugin.layers import kind_of, metadata_of
from napari_crlm_spa.plugin.memory import recall
from napari_crlm_spa.plugin.widgets.covered import BLINDED


def review_of(place, slide, name="Anna"):
    return read_slide_review(reader_folder(place.results / slide, name))


def whats(review):
    return [entry.what for entry in review.log]


def begin(place, **options):
    """Open a list and its first slide."""
    place.tab.open_list(place.make_list(**options))
    place.click(place.tab.list_box.next_button)
    place.ready()
    return place.tab.desk


# -- blindness ----------------------------------------------------------------------------


def test_nothing_of_a_slides_results_is_seen_until_the_reading_is_committed(place):
    place.panel.control.open(place.slides[0])
    place.ready()
    assert place.result_layers() and "risk" in place.words().lower()
    desk = begin(place)
    assert desk.slide.review is not None  # the results are there, and hidden
    assert place.result_layers() == []
    for widget in (place.panel.tabs, place.panel.legend, place.panel.queue_box.view):
        assert not place.is_seen(widget)
    words = place.words().lower()
    assert "risk group" not in words and "tumor region" not in words
    assert BLINDED.lower() in words and "blinded: results" in words
    place.enter(d=100)
    place.click(place.tab.form.commit_button)
    assert [kind_of(each.metadata) for each in place.result_layers()] == [
        "tissue_map",
        "tumor_region",
    ]
    assert all(each.visible for each in place.result_layers())
    assert place.is_seen(place.panel.tabs) and place.is_seen(place.panel.queue_box.view)


def test_the_slide_is_named_as_in_the_list_until_it_may_be_known(place):
    desk = begin(place)
    item = desk.item
    assert len(item.name) == 5 and item.name != item.slide
    names = [layer.name for layer in place.viewer.layers]
    assert names and not any(item.slide in name for name in names)
    assert item.slide not in place.words() and item.name in place.words()
    place.enter(d=100)
    place.click(place.tab.form.commit_button)
    assert any(item.slide in layer.name for layer in place.viewer.layers)


def test_keys_that_show_maps_or_step_the_queue_do_nothing_while_reading_blinded(seen_place):
    place = seen_place
    desk = begin(place)
    mouse = place.mouse()
    for key in (Qt.Key.Key_M, Qt.Key.Key_B, Qt.Key.Key_T):
        mouse.key(key)
    place.session.set_view(outline=False)
    place.session.set_view(outline=True)
    assert place.result_layers() == []
    hovered = []
    place.session.hovered.connect(hovered.append)
    mouse.hover(QPointF(mouse.canvas.rect().center()))
    assert not any(hovered)
    at = desk.at
    mouse.key(Qt.Key.Key_P)  # pushing, not the previous slide
    assert desk.at == at and desk.lines.pattern == "P"


def test_a_result_that_another_part_adds_or_shows_while_reading_blinded_is_hidden(place):
    begin(place)
    slide = place.session.current
    layer = place.viewer.add_shapes(name="interface", metadata=metadata_of("interface", slide.id))
    assert not layer.visible
    layer.visible = True
    assert not layer.visible
    place.enter(r=100)
    place.click(place.tab.form.commit_button)
    layer.visible = True
    assert layer.visible


def test_ending_an_uncommitted_reading_of_a_list_closes_its_slide(place):
    desk = begin(place)
    slide_id = desk.slide.id
    place.tab.end_action.trigger()
    assert slide_id not in place.session.slides
    assert not place.session.blinded and place.is_seen(place.panel.tabs)


# -- committing ---------------------------------------------------------------------------


def test_a_commitment_is_logged_before_anything_was_shown_and_later_changes_after(place):
    desk = begin(place)
    slide = desk.item.slide
    place.enter(d=80, r=20)
    place.click(place.tab.form.commit_button)
    review = review_of(place, slide)
    assert review.blinded and review.first["pct_D"] == 80
    assert whats(review)[:2] == ["opened", "committed"]
    assert set(review.seen) >= {"map", "features"}
    assert "blinded" in place.tab.state.text()
    assert not place.tab.form.commit_button.isEnabled()  # nothing is different yet
    place.enter(d=70, r=30)
    place.click(place.tab.form.commit_button)
    review = review_of(place, slide)
    assert whats(review)[-1] == "changed"
    assert review.log[-1].details["pct_D"] == {"from": 80.0, "to": 70.0}
    assert "map" in review.log[-1].seen
    assert review.first["pct_D"] == 80 and review.values["pct_D"] == 70
    log = place.tab.log
    assert "pct_D: 80 to 70" in log.text(log.rowCount() - 1, 0)


def test_only_shares_that_add_up_can_be_committed(place):
    begin(place)
    form = place.tab.form
    place.enter(d=60)
    assert not form.commit_button.isEnabled() and "40 missing" in form.sum_line.text()
    place.click(form.rests["pct_R"])
    assert form.shares["pct_R"].value() == 40 and form.commit_button.isEnabled()
    place.enter(d=60, r=50)
    assert not form.commit_button.isEnabled() and "10 too much" in form.sum_line.text()
    place.click(form.wholes["pct_P"])
    assert form.values()["pct_P"] == 100 and form.values()["pct_D"] == 0


def test_a_slide_that_cannot_be_judged_is_committed_without_percentages(place):
    desk = begin(place)
    slide = desk.item.slide
    place.tab.form.assessable.setValue(0)
    place.click(place.tab.form.commit_button)
    review = review_of(place, slide)
    assert review.is_committed and review.first["pct_D"] is None
    assert review.first["assessable_pct"] == 0


def test_the_list_counts_what_is_read_and_goes_on_after_a_restart(place):
    desk = begin(place)
    path = desk.list.file
    assert place.tab.list_box.count.text() == "0 of 3 read"
    place.enter(d=95, other=5)
    place.tab.form.comment.setText("thin, but whole")
    place.click(place.tab.form.commit_button)
    assert place.tab.list_box.count.text() == "1 of 3 read"
    again = open_list(path)
    assert [item.is_done for item in again.items] == [True, False, False]
    assert again.next_open(-1) == 1
    sheet = read_sheet(path)
    assert sheet.column("pct_D")[0] == "95" and sheet.column("comment")[0] == "thin, but whole"
    # What crlm-spa hgp import makes of the filled list.
    options = ImportOptions(key=path.parent / KEY_CSV)
    steps = import_reviews([path], options)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            frame = end.value.reviews.frame
            break
    assert list(frame["slide"]) == [desk.item.slide] and list(frame["pct_D"]) == [95.0]


def test_results_stay_hidden_from_slide_to_slide_if_the_reader_wants_it(place):
    desk = begin(place)
    place.tab.list_box.after.setCurrentIndex(1)
    place.tab.list_box.after.activated.emit(1)
    assert recall()["growth_hold_back"] is True
    for at in range(3):
        assert desk.at == at and place.session.blinded
        place.enter(d=100)
        place.click(place.tab.form.commit_button)
        place.ready()
        assert place.result_layers() == []
    assert "read" in place.tab.message.text
    assert review_of(place, desk.item.slide).seen == ()
    place.click(place.tab.reveal_button)
    assert place.result_layers() and "map" in review_of(place, desk.item.slide).seen


def test_the_second_reading_of_a_slide_knows_nothing_of_the_first(place):
    desk = begin(place, repeats_pct=50.0)
    rounds = {(each.slide, each.round): at for at, each in enumerate(desk.list.items)}
    slide = next(name for name, number in rounds if number == 2)
    second = rounds[slide, 2]
    desk.open(rounds[slide, 1])
    place.ready()
    place.enter(d=100)
    place.click(place.tab.form.commit_button)
    desk.open(second)
    place.ready()
    assert place.session.blinded and not desk.is_committed
    assert place.tab.form.total_pct == 0
    place.enter(d=90, r=10)
    place.click(place.tab.form.commit_button)
    assert review_of(place, slide).first["pct_D"] == 100
    again = review_of(place, slide, "Anna, round 2")
    assert (again.round, again.rater, again.first["pct_D"]) == (2, "Anna", 90)


def test_the_slide_that_is_open_can_be_read_and_the_log_says_what_was_seen(place):
    place.panel.control.open(place.slides[1])
    place.ready()
    place.tab.welcome.blinded.setChecked(False)
    place.click(place.tab.welcome.read_button)
    assert place.result_layers() and "Not blinded" in place.tab.state.text()
    place.enter(p=100)
    place.click(place.tab.form.commit_button)
    review = review_of(place, place.slides[1].stem)
    assert not review.blinded and "map" in review.log[-1].seen


def test_a_slide_that_is_missing_is_found_in_another_folder(place):
    place.panel.control.take([])
    path = place.make_list()
    place.tab.open_list(path)
    place.click(place.tab.list_box.next_button)
    assert "not found" in place.tab.message.text and place.is_seen(place.tab.find_button)
    place.tab.look_in(place.folder / "slides")
    place.ready()
    assert place.tab.desk.slide is not None and place.session.blinded
    assert not place.is_seen(place.tab.find_button)


def test_reviews_of_all_slides_become_one_table_of_the_reader(place):
    desk = begin(place)
    for share in (100, 40):
        place.enter(d=share, r=100 - share)
        place.click(place.tab.form.commit_button)
        desk.next_open()
        place.ready()
    target = place.folder / "reviews.csv"
    place.tab.export_to(target)
    place.qtbot.waitUntil(target.is_file, timeout=TIMEOUT_MS)
    frame = read_reviews(target).frame
    assert sorted(frame["pct_D"]) == [40, 100] and set(frame["rater"]) == {"Anna"}
    assert set(frame["patient"]) <= {"P1", "P2", "P3"}


def test_a_list_without_ids_is_refused_in_a_sentence(place):
    path = place.folder / "list.csv"
    path.write_text("name,value\na,1\n")
    place.tab.open_list(path)
    assert "has no column review_id" in place.tab.message.text
    assert place.tab.desk.list is None


def test_lists_are_made_of_the_slides_in_the_queue(place):
    place.tab.show_make()
    box = place.tab.make_box
    box.raters.setText("Anna, Ben")
    box.folder.setText(str(place.folder / "made"))
    box.form.editors["how"].set("extremes")
    assert place.is_seen(box.warning)
    box.form.editors["k_extremes"].set(1)
    place.click(box.make_button)
    place.qtbot.waitUntil(lambda: "has a score" in place.tab.message.text, timeout=TIMEOUT_MS)
    scores = place.folder / "scores.csv"
    rows = [f"{path.stem},{at / 10}" for at, path in enumerate(place.slides)]
    scores.write_text("slide,interaction_paper\n" + "\n".join(rows) + "\n")
    box.table.setText(str(scores))
    place.click(box.make_button)
    place.qtbot.waitUntil(lambda: place.tab.desk.list is not None, timeout=TIMEOUT_MS)
    assert place.tab.desk.list.rater == "Anna"
    assert {each.name for each in (place.folder / "made").iterdir()} == {
        "key.csv",
        "sample.json",
        "review-list-Anna.csv",
        "review-list-Ben.csv",
    }
    assert "extreme" in place.tab.message.text.lower()
    key = read_sheet(place.folder / "made" / KEY_CSV)
    assert set(key.column("slide")) == {place.slides[0].stem, place.slides[2].stem}


def test_research_use_only_is_always_in_sight(place):
    assert "research use only" in place.tab.banner.text().lower()
    begin(place)
    assert place.is_seen(place.tab.banner)


# -- drawing with the mouse ---------------------------------------------------------------


def test_keys_choose_pattern_and_tool_and_the_mouse_draws(seen_place):
    place = seen_place
    desk = begin(place)
    mouse = place.mouse()
    mouse.look_at((0, 20), (0, 24))
    mouse.key(Qt.Key.Key_R)
    mouse.key(Qt.Key.Key_L)
    assert place.tab.line_fold.is_open
    mouse.drag((4, 5), (6, 5), (9, 5), (14, 5))
    mouse.key(Qt.Key.Key_2)
    mouse.drag((14, 5), (14, 8), (14, 10))
    desk.lines.flush()
    lengths = desk.lines.lengths_um
    # Tiles of 112 um; the hand's first and last move may fall a screen pixel short.
    assert abs(lengths["R"] - 10 * 112) < 0.05 * 10 * 112
    assert abs(lengths["R2"] - 5 * 112) < 0.05 * 5 * 112
    place.click(place.tab.line_box.use_button)
    assert place.tab.form.values()["pct_R"] == 100
    mouse.key(Qt.Key.Key_Z)
    assert desk.lines.lengths_um["R2"] == 0
