"""Who takes part: which script, in which environment, with which flags."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from venvs import version

from napari_crlm_spa.core.classifier.inference import ClassifyOptions

#: How the network's trunk is named in a model's card, and by ``--networks``.
TINY, RESNET = "tiny", "resnet50"
#: The peers' environments, each with a requirements file.
PEERS = ("papers", "tiatoolbox", "lazyslide", "slideflow", "wsinfer")
#: Ours with OpenVINO: this environment beside the project's own, which stays as it is.
OURS_OPENVINO = "ours-openvino"
#: The peer that the goals name.
REFERENCE_PEER = "TIAToolbox"
_OURS = "ours"


@dataclass(frozen=True)
class Contender:
    """A program to be measured.

    `precision` and `engine` are those asked of ours. `whole`: on the whole slide, where the others
    get a part of it.
    """

    name: str
    script: str
    environment: str = ""
    flags: tuple[str, ...] = ()
    lacks: str = ""
    precision: str = ""
    engine: str = ""
    whole: bool = False

    @property
    def ours(self) -> bool:
        """Whether it is this project."""
        return self.script == _OURS


def contenders(network: str, macenko: bool, precisions: Sequence[str]) -> list[Contender]:
    """List who runs, ours first.

    With the tiny network, ours in the first of `precisions`. With ResNet-50 in all of them, the
    quick ones on the whole slide: what they cost once a slide, calibration and check, would be
    most of the time on a small part. Without stain with each engine; with it the last alone, since
    the stain costs the same.
    """
    stains = ("per_slide", "per_tile") if macenko else ("none",)
    ours = [_ours(stain, precisions[0]) for stain in stains]
    if network != TINY:
        ours += [
            _ours(stains[0], precision, engine, whole=True)
            for engine in engines()[-1 if macenko else 0 :]
            for precision in precisions[1:]
        ]
    return ours + _peers(macenko)


def engines() -> tuple[str, ...]:
    """Return what ours can compute a network with; one without a name where there is no choice."""
    choices = next(
        (
            field.metadata["choices"]
            for field in dataclasses.fields(ClassifyOptions)
            if field.name == "engine"
        ),
        ("",),
    )
    return tuple(each for each in choices if each != "auto")


def _ours(stain: str, precision: str, engine: str = "", whole: bool = False) -> Contender:
    engine = engine or engines()[0]
    flags = ("--stain", stain, "--precision", precision) + (("--engine", engine) if engine else ())
    words = [word for word in (precision, engine) if word]
    words += [f"Macenko {stain}"] if stain != "none" else []
    words += ["whole slide"] if whole else []
    return Contender(
        f"crlm-spa analyze, {', '.join(words)}",
        _OURS,
        OURS_OPENVINO if engine == "openvino" else "",
        flags,
        precision=precision,
        engine=engine,
        whole=whole,
    )


def _peers(macenko: bool) -> list[Contender]:
    wsinfer = f"WSInfer {version('wsinfer', 'wsinfer')}"
    no_stain = "it has no Macenko normalization" if macenko else ""
    tiatoolbox = f"{REFERENCE_PEER} {version('tiatoolbox', 'tiatoolbox')}"
    return [
        Contender("script as in the papers", "papers_script", "papers"),
        Contender(tiatoolbox, "tiatoolbox", "tiatoolbox"),
        Contender(f"LazySlide {version('lazyslide', 'lazyslide')}", "lazyslide", "lazyslide"),
        Contender(f"Slideflow {version('slideflow', 'slideflow')}", "slideflow", "slideflow"),
        Contender(wsinfer, "wsinfer", "wsinfer", lacks=no_stain),
        Contender(f"{wsinfer} --speedup", "wsinfer", "wsinfer", ("--speedup",), no_stain),
    ]
