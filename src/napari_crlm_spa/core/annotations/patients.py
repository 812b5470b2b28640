"""Dividing patients between training, validation and test; and how balanced the tiles are."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.annotations.options import SplitOptions

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
#: A class that nothing is left to learn of costs more than any unevenness; one that could be
#: judged and is not costs as much as a full miss of its share (both our choice).
_LOST, _UNJUDGED = 100.0, 1.0
#: So many divisions are all compared; of more, so many are drawn by chance and then improved.
_EXHAUSTIVE, _TRIALS = 4096, 400
#: Beyond this ratio of the most to the least frequent class a warning is due (our assumption).
IMBALANCE = 20.0


def divide_patients(
    counts: Mapping[str, Mapping[str, int]],
    options: SplitOptions,
    kept: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Give every patient a split, such that each class comes close to the wanted shares.

    A class is never taken away from the training; where two patients have it, one is held back.
    The same patients, options and seed give the same answer.

    Parameters
    ----------
    counts
        Tiles by patient, then by class.
    options
        Wanted shares.
    kept
        Patients whose split is settled.

    Returns
    -------
    dict
        ``train``, ``validation`` or ``test`` by patient.
    """
    settled = {name: split for name, split in (kept or {}).items() if name in counts}
    names = sorted(counts)
    free = [i for i, name in enumerate(names) if name not in settled]
    classes = sorted({each for tiles in counts.values() for each in tiles})
    table = np.array([[counts[name].get(each, 0) for each in classes] for name in names], float)
    shares = np.array([1 - options.validation - options.test, options.validation, options.test])
    choices = [i for i, share in enumerate(shares) if share > 0]
    start = np.array([SPLITS.index(settled.get(name, TRAIN)) for name in names])
    best = _best(start, free, choices, table, shares, options.split_seed)
    return {name: SPLITS[int(split)] for name, split in zip(names, best, strict=True)}


def _best(
    start: NDArray[np.intp],
    free: Sequence[int],
    choices: Sequence[int],
    table: NDArray[np.float64],
    shares: NDArray[np.float64],
    seed: int,
) -> NDArray[np.intp]:
    if not free or not table.size:
        return start
    if len(choices) ** len(free) <= _EXHAUSTIVE:
        trials = [_with(start, free, each) for each in itertools.product(choices, repeat=len(free))]
        return min(trials, key=lambda each: _cost(each, table, shares))
    rng = np.random.default_rng(seed)
    weights = shares[list(choices)] / shares[list(choices)].sum()
    drawn = [_with(start, free, rng.choice(choices, len(free), p=weights)) for _ in range(_TRIALS)]
    best = min([start, *drawn], key=lambda each: _cost(each, table, shares))
    return _improved(best, free, choices, table, shares)


def _with(
    start: NDArray[np.intp], free: Sequence[int], splits: Sequence[int] | NDArray[np.intp]
) -> NDArray[np.intp]:
    changed = start.copy()
    changed[list(free)] = splits
    return changed


def _improved(
    best: NDArray[np.intp],
    free: Sequence[int],
    choices: Sequence[int],
    table: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Move single patients as long as that helps."""
    lowest = _cost(best, table, shares)
    helped = True
    while helped:
        helped = False
        for i, split in itertools.product(free, choices):
            trial = _with(best, [i], [split])
            cost = _cost(trial, table, shares)
            if cost < lowest - 1e-12:
                best, lowest, helped = trial, cost, True
    return best


def _cost(
    splits: NDArray[np.intp], table: NDArray[np.float64], shares: NDArray[np.float64]
) -> float:
    """How far a division is from the wanted shares, summed over the classes."""
    totals = np.maximum(table.sum(axis=0), 1)
    found = np.stack([table[splits == i].sum(axis=0) for i in range(len(SPLITS))])
    cost = float(np.abs(found / totals - shares[:, None]).sum())
    present = table.sum(axis=0) > 0
    cost += _LOST * np.count_nonzero(present & (found[0] == 0))
    several = (table > 0).sum(axis=0) >= 2
    for i in (1, 2):
        if shares[i] > 0:
            cost += _UNJUDGED * np.count_nonzero(several & (found[i] == 0))
    return cost


@dataclass(frozen=True, slots=True)
class Balance:
    """Tiles by class, split and patient.

    Parameters
    ----------
    counts
        Tiles by (class, split, patient); a slide without a patient counts as one.
    warnings
        What a training on these tiles suffers from, in sentences.
    """

    counts: Mapping[tuple[str, str, str], int]
    warnings: tuple[str, ...] = ()

    def by_class(self) -> dict[str, dict[str, int]]:
        """Tiles by class, then by split (all three, also where there are none)."""
        table: dict[str, dict[str, int]] = {}
        for (name, split, _), tiles in sorted(self.counts.items()):
            table.setdefault(name, dict.fromkeys(SPLITS, 0))[split] += tiles
        return table

    def patients(self, class_name: str | None = None, split: str | None = None) -> set[str]:
        """Return the patients with tiles of a class, in a split."""
        return {
            patient
            for name, part, patient in self.counts
            if class_name in (None, name) and split in (None, part)
        }

    def text(self) -> str:
        """Return the table and the warnings as plain text."""
        head = ("class", *SPLITS, "patients")
        rows = [
            (name, *(str(tiles[split]) for split in SPLITS), str(len(self.patients(name))))
            for name, tiles in self.by_class().items()
        ]
        widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (head, *rows)
        ]
        return "\n".join([*lines, *(f"Warning: {each}" for each in self.warnings)])


def balance_of(rows: Sequence[Mapping[str, str]], options: SplitOptions) -> Balance:
    """Count the tiles of a manifest and say what is missing.

    Parameters
    ----------
    rows
        With the columns class, split, slide and patient.
    options
        Which splits are wanted.
    """
    counts = Counter((row["class"], row["split"], group_of(row)) for row in rows)
    balance = Balance(dict(sorted(counts.items())))
    return Balance(balance.counts, tuple(_warnings(balance, rows, options)))


def group_of(row: Mapping[str, str]) -> str:
    """Return what is divided as a whole: the patient, else the slide."""
    return row.get("patient") or row["slide"]


def _warnings(
    balance: Balance, rows: Sequence[Mapping[str, str]], options: SplitOptions
) -> list[str]:
    table = balance.by_class()
    found = []
    patients = balance.patients()
    held = [(VALIDATION, options.validation), (TEST, options.test)]
    if len(patients) == 1:
        found.append(
            f"All tiles are of one patient ({next(iter(patients))}): no other can be held back, so "
            "nothing will tell how the model does on another patient."
        )
    else:
        single = [name for name in table if len(balance.patients(name)) == 1]
        if single:
            found.append(
                f"{_listed(single)}: tiles of one patient only, all in one split. Add another "
                "patient to judge the class."
            )
        for split, share in held:
            lacking = [name for name in table if share > 0 and not table[name][split]]
            if lacking:
                found.append(f"The {split} split has no tiles of {_listed(lacking)}.")
        untaught = [name for name in table if not table[name][TRAIN]]
        if untaught:
            found.append(f"The train split has no tiles of {_listed(untaught)}.")
    totals = {name: sum(tiles.values()) for name, tiles in table.items()}
    if totals:
        most, least = max(totals, key=lambda n: totals[n]), min(totals, key=lambda n: totals[n])
        if totals[most] > IMBALANCE * totals[least]:
            found.append(
                f"{most} has {totals[most]} tiles, {least} only {totals[least]}: more than "
                f"{IMBALANCE:g} times as many. Draw more of {least}, or limit the tiles per class."
            )
    without = sorted({row["slide"] for row in rows if not row.get("patient")})
    if len(without) > 1:
        found.append(
            f"{len(without)} slides name no patient: each counts as a patient of its own. If two "
            "are of one patient, name the patient, or the validation flatters."
        )
    found.extend(_alike(balance.patients()))
    return found


def _alike(patients: set[str]) -> list[str]:
    """Warn of patients who may be one: names that differ in capitals and spaces only."""
    by_name: dict[str, list[str]] = {}
    for patient in sorted(patients):
        by_name.setdefault("".join(patient.casefold().split()), []).append(patient)
    return [
        f"{' and '.join(repr(name) for name in names)} differ in capitals or spaces only and count "
        "as different patients. If they are one, write the name alike, or the validation flatters."
        for names in by_name.values()
        if len(names) > 1
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
