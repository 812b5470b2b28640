"""Every file in ../shared/slides, through every reader that knows it."""

import numpy as np
import pytest

from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.slide import SlidePyramid, open_slide
from napari_crlm_spa.errors import MissingPixelSize, NotASlide, UnreadableSlide

SLIDES = SHARED / "slides"
DICOM = "dicom-cmu-1-small-region"
TIFFS = [
    ("liver-metastasis.tif", 16000, 14000),
    ("colon-mucinous-carcinoma.tif", 10000, 11000),
    ("liver-biopsy.tif", 15071, 13500),
    ("lymph-node.tif", 15772, 8801),
]


@real_data
@pytest.mark.parametrize(("name", "width", "height"), TIFFS)
def test_pyramidal_tiffs_are_described(name, width, height):
    with open_slide(SLIDES / name) as slide:
        info = slide.info
        assert (info.width_px, info.height_px) == (width, height)
        assert [level.downsample for level in info.levels] == [1, 2, 4, 8, 16, 32, 64]
        assert info.known_pixel_size().mpp == pytest.approx(0.5)
        assert info.pixel_size.source == "TIFF tags, 20000 px per centimeter"


@real_data
@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", DICOM])
def test_svs_and_dicom_of_the_same_slide_agree(name):
    with open_slide(SLIDES / name) as slide, open_slide(SLIDES / "CMU-1-Small-Region.svs") as svs:
        assert (slide.info.width_px, slide.info.height_px) == (2220, 2967)
        assert slide.info.known_pixel_size().mpp == pytest.approx(0.499)
        assert slide.info.associated_images == ("label", "macro", "thumbnail")
        both = [each.read_region_um(300, 400, 300, 300, 0.5).astype(int) for each in (slide, svs)]
        # The DICOM set was compressed once more.
        assert np.abs(both[0] - both[1]).mean() < 3


@real_data
def test_any_file_of_a_dicom_slide_opens_it():
    with open_slide(SLIDES / DICOM) as folder:
        for file in sorted((SLIDES / DICOM).glob("*.dcm")):
            with open_slide(file) as slide:
                assert slide.info.levels == folder.info.levels
                assert slide.info.fingerprint == folder.info.fingerprint


@real_data
def test_a_slide_without_pixel_size_opens_and_says_what_is_missing():
    with open_slide(SLIDES / "no-pixel-size.svs") as slide:
        assert slide.info.pixel_size is None
        with pytest.raises(MissingPixelSize, match="its header says nothing"):
            slide.info.known_pixel_size()
        assert slide.thumbnail(200).shape == (161, 200, 3)


@real_data
def test_a_nonsense_pixel_size_is_told():
    with (
        open_slide(SLIDES / "nonsense-pixel-size.tif") as slide,
        pytest.raises(MissingPixelSize, match=r"says 352\.8 µm/px.*cannot be.*--mpp"),
    ):
        slide.info.known_pixel_size()
    with open_slide(SLIDES / "nonsense-pixel-size.tif", mpp=0.5) as slide:
        assert slide.info.known_pixel_size().source == "user"


@real_data
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("broken.svs", NotASlide, "named like a slide"),
        ("unreadable.svs", UnreadableSlide, "is damaged"),
        ("pathml_small_dicom.dcm", UnreadableSlide, "conforms"),
    ],
)
def test_broken_files_are_refused_with_a_sentence(name, kind, words):
    with pytest.raises(kind, match=words):
        open_slide(SLIDES / "broken" / name)


@real_data
@pytest.mark.parametrize("name", [*(name for name, *_ in TIFFS), "CMU-1-Small-Region.svs"])
def test_direct_decoding_equals_openslide_at_level_0(name):
    with open_slide(SLIDES / name) as direct, open_slide(SLIDES / name, decoder="openslide") as by:
        for share in (0.1, 0.5, 0.97):
            x, y = int(direct.info.width_px * share), int(direct.info.height_px * share)
            assert np.array_equal(
                direct.read_level(0, x, y, 512, 512), by.read_level(0, x, y, 512, 512)
            )


@real_data
@pytest.mark.parametrize("decoder", ["auto", "openslide", "tifffile"])
def test_every_level_shows_the_same_tissue_at_the_same_place(decoder):
    """A square at the far corner, read at 8 µm/px from each level on its own."""
    with open_slide(SLIDES / "no-pixel-size.svs", mpp=0.5, decoder=decoder) as slide:
        fine = slide.read_level(0, 4000, 3100, 400, 400)
        coarse = slide.read_level(1, 2000, 1550, 200, 200)
    halved = fine.reshape(200, 2, 200, 2, 3).mean(axis=(1, 3))
    difference = np.abs(halved - coarse)
    shifted = np.abs(np.roll(halved, 1, axis=1) - coarse)[:, 1:]
    assert difference.mean() < 0.5 * shifted.mean()


@real_data
def test_the_pyramid_of_a_real_slide_reads_like_the_slide():
    with open_slide(SLIDES / "liver-metastasis.tif") as slide:
        pyramid = SlidePyramid(slide)
        assert [level.shape[1] for level in pyramid.levels] == [
            level.width_px for level in slide.info.levels
        ]
        view = pyramid.levels[2][1000:2000, 1500:2700]
        assert np.array_equal(view, slide.read_level(2, 1500, 1000, 1200, 1000))
        pyramid.close()
