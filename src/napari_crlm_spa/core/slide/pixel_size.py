"""How large a pixel is: who claims what, and whom to believe.

Order: vendor header, TIFF resolution tags, OME or DICOM, objective power (nominal); a value
that the user gives wins over all of them, because a user who types one has a reason to. What
lies outside the sanity range is never used, whoever says it.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass

from napari_crlm_spa.core.slide.info import PixelSize
from napari_crlm_spa.errors import MissingPixelSize

#: Plausible pixel sizes of a microscope slide (100x oil is about 0.1, a macro photo 10 µm/px).
#: Our assumption; real TIFFs carry 353 µm/px (72 dpi) and 1000 µm/px.
MPP_RANGE = (0.05, 10.0)
#: Nominal pixel size of a scan at 1x: 20x is 0.5, 40x is 0.25 µm/px. An assumption: scanners
#: differ by up to a tenth.
NOMINAL_UM_AT_1X = 10.0
#: Claims that differ by more than this share are worth a note.
DISAGREEMENT = 0.05

_TIFF_UNIT_UM = {"inch": 25_400.0, "centimeter": 10_000.0, "millimeter": 1_000.0, "micrometer": 1.0}
_LENGTH_UM = {
    "nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25_400.0, "in": 25_400.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PixelSizeClaim:
    """What one part of the file says about the pixel size."""

    x_um: float
    y_um: float
    source: str

    @property
    def is_sane(self) -> bool:
        """Whether a slide can have such pixels."""
        low, high = MPP_RANGE
        return low <= self.x_um <= high and low <= self.y_um <= high

    def __str__(self) -> str:
        if math.isclose(self.x_um, self.y_um, rel_tol=1e-3):
            return f"{self.x_um:.4g} µm/px"
        return f"{self.x_um:.4g} x {self.y_um:.4g} µm/px"


def resolve_pixel_size(
    claims: Iterable[PixelSizeClaim], user_um: float | None = None
) -> tuple[PixelSize | None, str]:
    """Choose the pixel size among what the file claims and what the user says.

    Parameters
    ----------
    claims
        Most trusted first.
    user_um
        The user's value in micrometers per pixel, or None.

    Returns
    -------
    pixel_size
        None if nobody knows.
    note
        What is odd about it, to be shown beside the value; empty if nothing is.

    Raises
    ------
    MissingPixelSize
        If the user's own value cannot be.
    """
    claims = list(claims)
    sane = [claim for claim in claims if claim.is_sane]
    notes = [
        f"the file says {claim} ({claim.source}), which cannot be"
        for claim in claims
        if not claim.is_sane
    ]
    if user_um is not None:
        chosen = _users_claim(user_um)
    elif sane:
        chosen = sane[0]
    else:
        return None, "; ".join(notes)
    # A nominal value that differs from a measured one is no news; any other contradiction is.
    notes += [
        f"{claim.source} says {claim}, {chosen.source} {chosen}: the latter is used"
        for claim in sane
        if claim is not chosen
        and not claim.source.startswith("objective power")
        and abs(math.log(claim.x_um / chosen.x_um)) > DISAGREEMENT
    ]
    return PixelSize(chosen.x_um, chosen.y_um, chosen.source), "; ".join(notes)


def _users_claim(user_um: float) -> PixelSizeClaim:
    claim = PixelSizeClaim(float(user_um), float(user_um), "user")
    if not claim.is_sane:
        low, high = MPP_RANGE
        raise MissingPixelSize(
            f"A pixel size of {user_um:g} µm/px cannot be: a slide has {low:g} to {high:g} µm/px. "
            "Enter it in micrometers, for instance 0.5 for a 20x scan or 0.25 for 40x."
        )
    return claim


def number(text: object) -> float | None:
    """Read a positive finite number, with a decimal point or comma, else None."""
    try:
        value = float(str(text).strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def vendor_claims(x: object, y: object, source: str) -> list[PixelSizeClaim]:
    """Take micrometers per pixel as a vendor header spells them; one axis may be missing."""
    x_um, y_um = number(x), number(y)
    if x_um is None and y_um is None:
        return []
    return [PixelSizeClaim(x_um or y_um or 0.0, y_um or x_um or 0.0, source)]


def tiff_claims(x_per_unit: object, y_per_unit: object, unit: str) -> list[PixelSizeClaim]:
    """Turn TIFF's pixels per inch or centimeter into micrometers per pixel.

    Without a unit the tags give no length, only an aspect ratio, and are ignored.
    """
    unit_um = _TIFF_UNIT_UM.get(unit.lower())
    x, y = number(x_per_unit), number(y_per_unit)
    if unit_um is None or (x is None and y is None):
        return []
    x, y = x or y or 1.0, y or x or 1.0
    return [PixelSizeClaim(unit_um / x, unit_um / y, f"TIFF tags, {x:g} px per {unit.lower()}")]


def objective_claims(power: float | None) -> list[PixelSizeClaim]:
    """Assume the nominal pixel size of an objective power."""
    if power is None:
        return []
    size_um = NOMINAL_UM_AT_1X / power
    return [PixelSizeClaim(size_um, size_um, f"objective power {power:g}x, nominal")]


def description_claims(description: str) -> list[PixelSizeClaim]:
    """Read the pixel size from a TIFF ImageDescription: OME-XML, Aperio or ImageJ."""
    if "<OME" in description[:2000]:
        return _ome_claims(description)
    if description.startswith("ImageJ="):
        return []  # its unit belongs to the resolution tags: see imagej_unit
    found = re.search(r"\|\s*MPP\s*=\s*([0-9.,]+)", description)
    return vendor_claims(found[1], found[1], "aperio.MPP") if found else []


def objective_power(description: str) -> float | None:
    """Read the nominal magnification from an ImageDescription (Aperio or OME-XML)."""
    found = re.search(r"\|\s*AppMag\s*=\s*([0-9.,]+)", description) or re.search(
        r'NominalMagnification="([0-9.,]+)"', description
    )
    return number(found[1]) if found else None


def imagej_unit(description: str) -> str:
    """Return the TIFF unit word that an ImageJ description gives to the resolution tags."""
    found = re.search(r"^unit=(.+)$", description, re.MULTILINE)
    if not description.startswith("ImageJ=") or not found:
        return ""
    unit = found[1].strip().replace("\\u00B5", "µ").lower()
    size_um = _LENGTH_UM.get(unit)
    return next((word for word, um in _TIFF_UNIT_UM.items() if um == size_um), "")


def _ome_claims(xml: str) -> list[PixelSizeClaim]:
    try:
        root = ElementTree.fromstring(xml.strip("\x00 \r\n"))
    except ElementTree.ParseError:
        return []
    pixels = next((node for node in root.iter() if node.tag.endswith("}Pixels")), None)
    if pixels is None:
        return []
    x_um, y_um = _ome_um(pixels.attrib, "X"), _ome_um(pixels.attrib, "Y")
    return vendor_claims(x_um, y_um, "OME PhysicalSize")


def _ome_um(attributes: dict[str, str], axis: str) -> float | None:
    size = number(attributes.get(f"PhysicalSize{axis}"))
    unit_um = _LENGTH_UM.get(attributes.get(f"PhysicalSize{axis}Unit", "µm").lower())
    return size * unit_um if size is not None and unit_um is not None else None
