"""Ours beside TIAToolbox, WSInfer, LazySlide, Slideflow and the script that papers publish.

    make bench-peers SLIDE=slide.svs          or          python benchmarks/peers SLIDE -o peers.md

Builds an environment for each peer under build/bench/ (once; 10 GB), gives all programs the same
slide and the same weights, and writes tables as Markdown: with a tiny network, where the work
around the network shows, and with a ResNet-50, where the peers get a part of the slide. A peer
that cannot be installed or fails is a row that says why. Says how long it will still take. Needs
Linux or macOS.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from comparison import Comparison
from contenders import PEERS, RESNET, TINY
from venvs import Environments

from napari_crlm_spa.errors import CrlmSpaError

_STAINS = ("macenko", "none")


def main() -> None:
    options = _parser().parse_args()
    # So that the program under way is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    venvs = options.venvs or options.cache / "venvs"
    environments = Environments(venvs, options.python, _say)
    try:
        text = Comparison(options, environments, _say).compare()
    except CrlmSpaError as error:
        raise SystemExit(str(error)) from error
    if options.out is None and options.docs is None:
        print(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python benchmarks/peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("slide", type=Path)
    add("-o", "--out", type=Path, help="Markdown file, written anew after every run; else printed")
    add(
        "--docs",
        type=Path,
        help="document that the tables are put into, between the comments 'peers NETWORK: begin' "
        "and 'peers NETWORK: end'",
    )
    add("--repeats", type=int, default=3)
    add("--networks", nargs="+", choices=(TINY, RESNET), default=[TINY, RESNET])
    add("--stains", nargs="+", choices=_STAINS, default=list(_STAINS))
    add("--only", nargs="+", choices=PEERS, default=[], help="measure ours and these peers alone")
    add(
        "--precisions",
        nargs="+",
        default=["fp32", "bf16", "int8"],
        choices=("fp32", "bf16", "int8"),
        help="of ours with ResNet-50, the first on what the peers get; with the tiny network the "
        "first",
    )
    add("--model", help="folder of a trained ResNet-50 to take in place of random weights")
    add(
        "--crop-px",
        type=int,
        default=2912,
        help="side of the part that the peers get with ResNet-50, so that they end within half an "
        "hour; 0 takes the whole slide (default: %(default)s)",
    )
    add(
        "--small-px",
        type=int,
        default=2400,
        help="side of the small part for the price of further tiles; 0 leaves it out "
        "(default: %(default)s)",
    )
    add("--mpp", type=float, help="pixel size of the slide, where the file does not say")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="peers' loaders")
    add("--threads", type=int, help="torch's in every program (default: tiny 1, else all cores)")
    add("--timeout-min", type=float, default=60.0, help="for one run (default: %(default)s)")
    add("--cache", type=Path, default=Path("build/bench"), help="environments, models, parts, logs")
    add("--venvs", type=Path, help="folder of the environments (default: venvs in the cache)")
    add("--python", default=sys.executable, help="interpreter that the environments are made with")
    return parser


if __name__ == "__main__":
    main()
