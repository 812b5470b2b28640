"""Who takes part: which script, in which environment, with which flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from venvs import version

#: How the network's trunk is named in a model's card, and by ``--networks``.
TINY, RESNET = "tiny", "resnet50"
#: The peers' environments, each with a requirements file.
PEERS = ("papers", "tiatoolbox", "lazyslide", "slideflow", "wsinfer")


@dataclass(frozen=True)
class Contender:
    """A program to be measured; one without an `environment` is ours."""

    name: str
    script: str
    environment: str = ""
    flags: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is this project."""
        return not self.environment


def contenders(network: str, macenko: bool, precisions: Sequence[str]) -> list[Contender]:
    """List who runs, ours first; precisions are compared where the network is the cost."""
    stains = ("per_slide", "per_tile") if macenko else ("none",)
    settings = precisions if network != TINY else precisions[:1]
    ours = [
        Contender(
            f"crlm-spa analyze --precision {precision}" + (f" --stain {stain}" if macenko else ""),
            "ours",
            flags=("--stain", stain, "--precision", precision),
        )
        for precision in settings
        for stain in (stains if precision == settings[0] else stains[:1])
    ]
    return ours + _peers(macenko)


def _peers(macenko: bool) -> list[Contender]:
    wsinfer = f"WSInfer {version('wsinfer', 'wsinfer')}"
    no_stain = "it has no Macenko normalization" if macenko else ""
    return [
        Contender("script as in the papers", "papers_script", "papers"),
        Contender(f"TIAToolbox {version('tiatoolbox', 'tiatoolbox')}", "tiatoolbox", "tiatoolbox"),
        Contender(f"LazySlide {version('lazyslide', 'lazyslide')}", "lazyslide", "lazyslide"),
        Contender(f"Slideflow {version('slideflow', 'slideflow')}", "slideflow", "slideflow"),
        Contender(wsinfer, "wsinfer", "wsinfer", lacks=no_stain),
        Contender(f"{wsinfer} --speedup", "wsinfer", "wsinfer", ("--speedup",), no_stain),
    ]
