"""Slides drawn for tests: marks at known micrometers, written as each kind of file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

#: Centers of the marks, (x, y) in micrometers from the slide's top-left corner.
MARKS_UM = ((30.0, 40.0), (200.0, 25.0), (111.3, 97.7), (40.0, 160.0), (225.5, 170.25))
#: Extent of the drawn slides in micrometers.
WIDTH_UM, HEIGHT_UM = 256.0, 192.0
MARK_SIGMA_UM = 2.0


def marks_picture(mpp=0.5, width_px=None, height_px=None):
    """Dark round marks on a pale, slightly uneven ground; shape (height, width, 3)."""
    width_px = width_px or round(WIDTH_UM / mpp)
    height_px = height_px or round(HEIGHT_UM / mpp)
    x = (np.arange(width_px) + 0.5) * mpp
    y = (np.arange(height_px) + 0.5)[:, None] * mpp
    ink = np.zeros((height_px, width_px))
    for mark_x, mark_y in MARKS_UM:
        ink += np.exp(-((x - mark_x) ** 2 + (y - mark_y) ** 2) / (2 * MARK_SIGMA_UM**2))
    ground = np.stack([230 + 5 * np.sin(x / 17 + y / 29), 200 + 0 * ink, 220 + 0 * ink], axis=-1)
    return np.clip(ground - 180 * ink[..., None], 0, 255).round().astype(np.uint8)


def noise_picture(width_px, height_px, seed=0):
    """Pixels that all differ: any displacement or resampling shows."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def mark_center_um(region, x_um, y_um, mpp):
    """Where the mark lies that a region shows; (x, y) in micrometers."""
    ink = 200.0 - region[..., 1].astype(float)
    ink[ink < 5] = 0
    rows, cols = np.indices(ink.shape)
    return (
        x_um + ((cols + 0.5) * ink).sum() / ink.sum() * mpp,
        y_um + ((rows + 0.5) * ink).sum() / ink.sum() * mpp,
    )


def halved(picture):
    """Average 2 x 2 pixels; an odd last row or column is dropped."""
    even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
    return np.asarray(Image.fromarray(np.ascontiguousarray(even)).reduce(2))


def stretched(picture, width_px, height_px):
    """Resize to any size."""
    return np.asarray(Image.fromarray(picture).resize((width_px, height_px), Image.Resampling.BOX))


@dataclass(frozen=True)
class TiffKind:
    """How a TIFF is stored."""

    compression: str | None = None
    tile_px: int | None = 128
    unit: str = "CENTIMETER"
    per_unit: float | None = None
    photometric: str = "rgb"
    planarconfig: str | None = None
    rowsperstrip: int | None = None
    description: str | None = None
    byteorder: str = "<"


def write_tiff(path, levels, mpp=None, kind=TiffKind()):
    """Write levels as pages, the smaller ones marked as reduced copies."""
    per_um = {"CENTIMETER": 10_000, "INCH": 25_400}[kind.unit]
    per_unit = kind.per_unit or (per_um / mpp if mpp else None)
    with tifffile.TiffWriter(path, byteorder=kind.byteorder) as writer:
        for index, level in enumerate(levels):
            options = {"description": kind.description} if kind.description else {}
            if per_unit:
                scale = levels[0].shape[1] / level.shape[1]
                options |= {
                    "resolution": (per_unit / scale, per_unit / scale),
                    "resolutionunit": kind.unit,
                }
            if kind.tile_px:
                options["tile"] = (kind.tile_px, kind.tile_px)
            elif kind.rowsperstrip:
                options["rowsperstrip"] = kind.rowsperstrip
            writer.write(
                level,
                photometric=kind.photometric,
                compression=kind.compression,
                planarconfig=kind.planarconfig,
                subfiletype=1 if index else 0,
                metadata=None,
                **options,
            )
    return Path(path)


def write_svs(path, levels, properties):
    """Write an Aperio-style SVS with thumbnail, label and macro."""
    base = levels[0]
    height, width = base.shape[:2]
    words = "|".join(f"{key} = {value}" for key, value in properties.items())
    head = f"Aperio Image Library v1.0\r\n{width}x{height} (128x128) JPEG/RGB Q=90"
    small = stretched(base, 64, 48)
    tiled = {"tile": (128, 128), "photometric": "rgb", "metadata": None, "compression": "jpeg"}
    plain = {"photometric": "rgb", "metadata": None, "compression": "jpeg", "rowsperstrip": 16}
    with tifffile.TiffWriter(path) as writer:
        writer.write(base, description=f"{head}|{words}" if words else head, **tiled)
        writer.write(small, description=f"{head} -> 64x48", **plain)
        for level in levels[1:]:
            size = f"{level.shape[1]}x{level.shape[0]}"
            writer.write(level, description=f"{head} -> {size}", **tiled)
        writer.write(small, description="Aperio\r\nlabel 64x48", subfiletype=1, **plain)
        writer.write(small, description="Aperio\r\nmacro 64x48", subfiletype=9, **plain)
    return Path(path)


def write_ome_tiff(path, levels, mpp, compression="deflate"):
    """Write an OME-TIFF whose smaller levels are SubIFDs."""
    options = {"tile": (128, 128), "photometric": "rgb", "compression": compression}
    metadata = {
        "axes": "YXS",
        "PhysicalSizeX": mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": mpp,
        "PhysicalSizeYUnit": "µm",
    }
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(levels[0], subifds=len(levels) - 1, metadata=metadata, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, **options)
    return Path(path)


def write_scn(path, picture, mpp, offset_um, extent_um):
    """Write a Leica SCN: a scanned area somewhere on a larger slide, and a macro image."""
    levels = [picture, halved(halved(picture))]
    height, width = picture.shape[:2]
    extent = [round(um * 1000) for um in extent_um]
    area = [*(round(um * 1000) for um in offset_um), round(width * mpp * 1000)]
    area.append(round(height * mpp * 1000))
    sizes = [(level.shape[1], level.shape[0]) for level in levels]
    xml = (
        '<?xml version="1.0"?>'
        '<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        f'<collection name="c" uuid="u" sizeX="{extent[0]}" sizeY="{extent[1]}">'
        "<barcode>b</barcode>"
        + _scn_image("macro", [0, 0, *extent], [(256, 192)], 0, "1.25")
        + _scn_image("main", area, sizes, 1, "40")
        + "</collection></scn>"
    )
    tiled = {"tile": (128, 128), "photometric": "rgb", "compression": "jpeg", "metadata": None}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(stretched(picture, 256, 192), description=xml, **tiled)
        for level in levels:
            writer.write(level, **tiled)
    return Path(path)


def _scn_image(name, area, sizes, first_page, objective):
    dimensions = "".join(
        f'<dimension sizeX="{width}" sizeY="{height}" r="{i}" ifd="{first_page + i}"/>'
        for i, (width, height) in enumerate(sizes)
    )
    x, y, width, height = area
    return (
        f'<image name="{name}" uuid="u"><creationDate>2020</creationDate>'
        '<device model="m" version="v"/>'
        f'<pixels sizeX="{sizes[0][0]}" sizeY="{sizes[0][1]}">{dimensions}</pixels>'
        f'<view sizeX="{width}" sizeY="{height}" offsetX="{x}" offsetY="{y}"/>'
        "<scanSettings><objectiveSettings>"
        f"<objective>{objective}</objective></objectiveSettings><illuminationSettings>"
        "<numericalAperture>0.4</numericalAperture>"
        "<illuminationSource>brightfield</illuminationSource>"
        "</illuminationSettings></scanSettings></image>"
    )


def write_vms(path, picture, mpp):
    """Write a Hamamatsu VMS: an index file, two JPEGs side by side, and a map."""
    path = Path(path)
    height, width = picture.shape[:2]
    for index, part in enumerate((picture[:, : width // 2], picture[:, width // 2 :])):
        Image.fromarray(part).save(
            path.parent / f"part{index}.jpg", quality=95, restart_marker_blocks=8, subsampling=0
        )
    small = halved(halved(halved(picture)))
    Image.fromarray(small).save(path.parent / "map.jpg", restart_marker_blocks=2)
    path.write_text(
        "[Virtual Microscope Specimen]\nNoLayers=1\nNoJpegColumns=2\nNoJpegRows=1\n"
        "ImageFile=part0.jpg\nImageFile(1,0)=part1.jpg\nMapFile=map.jpg\nMacroImage=map.jpg\n"
        f"PhysicalWidth={round(width * mpp * 1000)}\n"
        f"PhysicalHeight={round(height * mpp * 1000)}\nSourceLens=40\nOptimisationFile=\n"
    )
    return path
