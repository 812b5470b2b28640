"""Filters of the tile table in words: ``entropy > 0.5 and class in (TUM, STR)``. No Qt.

The text becomes a tree of comparisons that are evaluated here; nothing is ever executed.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.tile_columns import COLUMNS, WORDS
from napari_crlm_spa.plugin.tile_table import TileTable, Values

Flags = NDArray[np.bool_]

EXAMPLE = "entropy > 0.5 and class in (TUM, STR) and not blur"
#: Python keeps this word for itself.
_CLASS = "class_"
_COMPARE: dict[type[ast.cmpop], Callable[..., Flags]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
#: Longer texts are no filter that somebody typed.
_LONGEST = 1000


def matching(table: TileTable, text: str) -> Flags:
    """Return the tiles that a filter keeps, shape (tiles,).

    Parameters
    ----------
    table
        The tiles.
    text
        Comparisons of columns with numbers or words, joined by ``and``, ``or``, ``not`` and
        parentheses. A word alone (``TUM``, ``blur``, ``edited``) asks for tiles of that class,
        mark or state. Nothing keeps all.

    Raises
    ------
    ReviewError
        If it is no such filter; the sentence says where it went wrong.
    """
    if not text.strip():
        return np.ones(len(table), np.bool_)
    return _Filter(table).of(_parse(text))


def _parse(text: str) -> ast.expr:
    ready = re.sub(r"\bclass\b", _CLASS, text.strip(), flags=re.IGNORECASE)
    ready = re.sub(r"\bset aside\b", "set_aside", ready, flags=re.IGNORECASE)
    ready = re.sub(r"\b(and|or|not|in)\b", lambda m: m[0].lower(), ready, flags=re.IGNORECASE)
    ready = re.sub(r"(?<![=<>!])=(?!=)", "==", ready)
    try:
        if len(ready) > _LONGEST:
            raise ValueError("too long")
        return ast.parse(ready, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ReviewError(
            f"The filter {text!r} cannot be understood. Write it like this: {EXAMPLE}"
        ) from error


class _Filter:
    """Evaluates a parsed filter on the columns of a table."""

    def __init__(self, table: TileTable) -> None:
        self._table = table

    def of(self, node: ast.expr) -> Flags:
        if isinstance(node, ast.BoolOp):
            parts = [self.of(value) for value in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return np.asarray(join.reduce(parts))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.of(node.operand)
        if isinstance(node, ast.Compare):
            return self._chain(node)
        if isinstance(node, ast.Name | ast.Constant):
            return self._word_alone(_word(node))
        raise _not_understood(node)

    def _chain(self, node: ast.Compare) -> Flags:
        """``0.2 < entropy < 0.5`` is both comparisons."""
        sides = [node.left, *node.comparators]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return np.asarray(np.logical_and.reduce([self._compare(*pair) for pair in pairs]))

    def _compare(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Flags:
        if isinstance(how, ast.In | ast.NotIn):
            found = self._one_of(left, right)
            return ~found if isinstance(how, ast.NotIn) else found
        compare = _COMPARE.get(type(how))
        if compare is None:
            raise _not_understood(left)
        a, b = self._column(left), self._column(right)
        if a is None and b is None:
            raise _no_column(left)
        if a is not None and b is not None:
            return self._columns(a, b, compare)
        known, other = (a, right) if a is not None else (b, left)
        assert known is not None
        if known.words is not None:
            return self._words(known, other, how)
        number = _number(other)
        return compare(known.numbers, number) if a is not None else compare(number, known.numbers)

    def _columns(self, a: Values, b: Values, compare: Callable[..., Flags]) -> Flags:
        """Compare two columns: ``class != predicted``."""
        if (a.words is None) != (b.words is None):
            raise ReviewError("A filter compares numbers with numbers and words with words.")
        return compare(_said(a), _said(b))

    def _one_of(self, left: ast.expr, right: ast.expr) -> Flags:
        column = self._column(left)
        if column is None:
            raise _no_column(left)
        many = isinstance(right, ast.Tuple | ast.List | ast.Set)
        members = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        if not many and column.words is None:
            raise _not_understood(right)
        found = np.zeros(len(self._table), np.bool_)
        for member in members:
            if column.words is None:
                found |= column.numbers == _number(member)
            else:
                found |= self._words(column, member, ast.Eq())
        return found

    def _words(self, column: Values, other: ast.expr, how: ast.cmpop) -> Flags:
        if not isinstance(how, ast.Eq | ast.NotEq):
            raise ReviewError(
                f"{_shown(other)} is a word: compare words with = or != only, numbers also with "
                "< and >."
            )
        found = self._holding(column, _word(other))
        return found if isinstance(how, ast.Eq) else ~found

    def _holding(self, column: Values, word: str) -> Flags:
        """Tiles whose word is the one asked for; of several marks one is enough."""
        assert column.words is not None
        wanted = word.lower().replace(" ", "_")
        parts = [[text.lower().replace(" ", "_")] for text in column.words]
        if column is self._table.values("marks"):
            parts = [text.lower().split() or [""] for text in column.words]
        codes = [code for code, said in enumerate(parts) if wanted in said]
        if not codes:
            known = ", ".join(dict.fromkeys(text for said in parts for text in said if text))
            raise ReviewError(f"There is no {word!r} in that column; it knows {known}.")
        return np.isin(column.numbers, codes)

    def _column(self, node: ast.expr) -> Values | None:
        if not isinstance(node, ast.Name):
            return None
        name = node.id.removesuffix("_") if node.id == _CLASS else node.id.lower()
        names = {column.name for column in COLUMNS}
        if name not in names:
            return None
        if not self._table.is_known(name):
            way_out = "check the quality first" if name != "contribution" else "show its map first"
            raise ReviewError(f"{name} is not known yet: {way_out}.")
        return self._table.values(name)

    def _word_alone(self, word: str) -> Flags:
        name = WORDS.get(word.lower())
        if name is None:
            raise ReviewError(
                f"{word!r} is no class, mark or state. Columns are compared with something: "
                f"{EXAMPLE}"
            )
        column = self._column(ast.Name(_CLASS if name == "class" else name))
        assert column is not None
        return self._holding(column, word)


def _said(column: Values) -> NDArray[np.generic]:
    return column.numbers if column.words is None else np.array(column.words)[column.numbers]


def _number(node: ast.expr) -> float:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _number(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ReviewError(f"{_shown(node)} is no number.")


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ReviewError(f"{_shown(node)} is no word.")


def _shown(node: ast.expr) -> str:
    return ast.unparse(node).replace(_CLASS, "class")


def _no_column(node: ast.expr) -> ReviewError:
    columns = ", ".join(column.name for column in COLUMNS)
    return ReviewError(f"{_shown(node)} is no column. The columns are {columns}.")


def _not_understood(node: ast.expr) -> ReviewError:
    return ReviewError(f"A filter cannot hold {_shown(node)}. Write it like this: {EXAMPLE}")
