"""``crlm-spa readers``: who corrected a slide, and how far two readers agree."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.risk import DEFAULT_PRESET, RESEARCH_USE_ONLY, load_risk_model
from napari_crlm_spa.errors import ReviewError

if TYPE_CHECKING:
    from napari_crlm_spa.core.review import Agreement, Review, ReviewState, RiskEffect
    from napari_crlm_spa.core.risk import RiskAssessment

MOST_PAIRS = 8
SET_ASIDE = "set aside"


def readers(
    result: Annotated[Path, typer.Argument(help="Result folder of a slide")],
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Two readers whose corrections are to be compared", metavar="A B"),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write the comparison as a CSV table")
    ] = None,
    risk_model: Annotated[
        str, typer.Option(help="Preset or file by which the effect on the risk is judged")
    ] = DEFAULT_PRESET,
) -> None:
    """List who corrected a slide, or compare two readers: kappa per class, effect on the risk."""
    from napari_crlm_spa.core.review import review_state

    if not result.is_dir():
        raise ReviewError(f"{result} is no folder. Name the result folder of an analyzed slide.")
    state = review_state(result)
    output = Console()
    if compare is None:
        if csv is not None:
            raise ReviewError("--csv writes a comparison: name two readers with --compare A B.")
        _list(output, result, state)
        return
    a, b = (_review(result, state, name, risk_model) for name in compare)
    if a.reader == b.reader:
        raise ReviewError(f"{' and '.join(compare)} are one reader. Name two to compare.")
    _compare(output, a, b, csv)


def _list(output: Console, result: Path, state: ReviewState) -> None:
    if not state.readers:
        output.print(f"Nobody has corrected {escape(str(result))} yet.", highlight=False)
        return
    table = Table(title=f"Readers of {escape(result.resolve().name)}", title_justify="left")
    table.add_column("reader")
    table.add_column("corrected tiles", justify="right")
    for heading in ("last step", "reviewed", "note"):
        table.add_column(heading)
    for reader in state.readers:
        count = "?" if reader.corrected_tiles is None else f"{reader.corrected_tiles:,}"
        last = "" if reader.edited is None else _local(reader.edited)
        mark = reader.mark
        reviewed = mark.when[:10] if mark is not None and mark.reviewed else "no"
        note = "" if mark is None else mark.note
        table.add_row(escape(reader.name), count, last, reviewed, escape(note))
    output.print(table)
    output.print(f"The slide is {state.stage}.", highlight=False)


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _review(result: Path, state: ReviewState, name: str, risk_model: str) -> Review:
    from napari_crlm_spa.core.pipeline import reopen_folder
    from napari_crlm_spa.core.review import open_review, reader_folder

    known = {reader.folder: reader.name for reader in state.readers}
    place = reader_folder(result, name)
    if place not in known:
        names = ", ".join(known.values()) or "nobody"
        raise ReviewError(f"{name} has not corrected {result}. Its readers: {names}.")
    model = load_risk_model(risk_model)
    review = open_review(reopen_folder(result, model), model, known[place])
    if review.problem:
        raise ReviewError(review.problem)
    return review


def _compare(output: Console, a: Review, b: Review, csv: Path | None) -> None:
    from napari_crlm_spa.core.review import agreement, agreement_csv

    for review in (a, b):
        for note in review.notes:
            output.print(f"{escape(review.reader)}: {escape(note)}", highlight=False)
    touched, everywhere = agreement(a, b, touched_only=True), agreement(a, b)
    _show_agreement(output, touched, "tiles that at least one of the two touched")
    _show_agreement(output, everywhere, "all tiles that both count, untouched predictions included")
    _show_effect(output, a, b, _effect(a, b))
    if csv is not None:
        write_text(csv, agreement_csv(touched, everywhere))
        output.print(f"Wrote {escape(str(csv))}", highlight=False, soft_wrap=True)


def _show_agreement(output: Console, found: Agreement, which: str) -> None:
    a, b = escape(found.reader_a), escape(found.reader_b)
    table = Table(title=f"{a} and {b}: {which}", title_justify="left")
    table.add_column("class")
    for heading in ("both", f"only {a}", f"only {b}", "kappa"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for one in found.classes:
        counts = (f"{n:,}" for n in (one.both, one.only_a, one.only_b))
        table.add_row(one.name, *counts, _kappa(one.kappa), one.reason)
    output.print(table)
    share = "" if isnan(found.observed) else f", {found.observed:.1%} alike"
    kappa = f"kappa {_kappa(found.kappa)}" if not found.reason else f"no kappa: {found.reason}"
    output.print(f"All classes: {found.n:,} tiles{share}, {kappa}.", highlight=False)
    if found.only_a or found.only_b:
        output.print(
            f"Not compared: {found.only_a:,} tiles that only {a} counts, {found.only_b:,} that "
            f"only {b} counts.",
            highlight=False,
        )
    output.print()


def _kappa(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3f}"


def _effect(a: Review, b: Review) -> RiskEffect:
    from napari_crlm_spa.core.review import risk_effect

    with closing(risk_effect(a, b)) as work:
        while True:
            try:
                next(work)
            except StopIteration as end:
                found: RiskEffect = end.value
                return found


def _show_effect(output: Console, a: Review, b: Review, effect: RiskEffect) -> None:
    for review, risk in ((a, effect.risk_a), (b, effect.risk_b)):
        output.print(f"Risk by {escape(review.reader)}: {_risk(risk)}", highlight=False)
    if not effect.same_thresholds:
        output.print("The two use different distance thresholds, which moves the risk, too.")
    if effect.pairs:
        table = Table(title="What each disagreement does to the score", title_justify="left")
        for heading in (f"{escape(a.reader)} says", f"{escape(b.reader)} says"):
            table.add_column(heading)
        for heading in ("tiles", "score moves by", "group"):
            table.add_column(heading, justify="right")
        for pair in effect.pairs[:MOST_PAIRS]:
            change = f"{pair.score_change:+.3g}" if pair.score_change else "0"
            change = "?" if pair.score_change is None else change
            group = f"{pair.group or 'none'}{' (flips)' if pair.flips else ''}"
            says = (pair.class_a or SET_ASIDE, pair.class_b or SET_ASIDE)
            table.add_row(*says, f"{pair.tiles:,}", change, group)
        output.print(table)
        if len(effect.pairs) > MOST_PAIRS:
            output.print(f"{len(effect.pairs) - MOST_PAIRS} more kinds move the score less.")
    output.print(f"[bold]{RESEARCH_USE_ONLY}[/]")


def _risk(risk: RiskAssessment | None) -> str:
    if risk is None:
        return "none; the slide is refused one"
    score = "score not known" if risk.score is None else f"score {risk.score:.4g}"
    return f"{score}, {'no group' if risk.group is None else f'group {risk.group}'}"
