"""Options dataclass to Qt form and back: `build_form`, `read_form`, `write_form`.

A field's label, range, unit, choices and help come from its metadata (core/options.py), so a
new option needs no code here. Options within options become sections.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, get_type_hints

from qtpy.QtCore import QLocale
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_crlm_spa.core.options import Options
from napari_crlm_spa.plugin.fold import Fold

#: Bounds of number boxes whose field names none.
UNBOUNDED = 10**9
DECIMALS = 4
#: Name endings that the unit already tells.
UNIT_SUFFIXES = ("_px", "_um", "_mpp", "_tiles", "_mb")


@dataclasses.dataclass(slots=True)
class Editor:
    """One input widget and how to read and write it."""

    widget: QWidget
    get: Callable[[], Any]
    set: Callable[[Any], None]


class Form(QWidget):
    """Editors of an options class; its advanced fields are folded away."""

    def __init__(self, options_class: type[Any], *, skip: Collection[str] = ()) -> None:
        super().__init__()
        self.options_class = options_class
        self.editors: dict[str, Editor] = {}
        self.sections: dict[str, Form] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._plain = _rows()
        self._advanced = _rows()
        layout.addLayout(self._plain)
        hints = get_type_hints(options_class)
        for field in dataclasses.fields(options_class):
            if field.name not in skip:
                self._add(field, hints[field.name])
        if self._advanced.rowCount():
            inner = QWidget()
            inner.setLayout(self._advanced)
            layout.addWidget(Fold("Advanced", inner))

    def lift(self, name: str) -> Editor:
        """Take an editor out of the form's rows, to be shown elsewhere; it is still read."""
        editor = self.editors[name]
        for rows in (self._plain, self._advanced):
            if rows.indexOf(editor.widget) >= 0:
                taken = rows.takeRow(editor.widget)
                taken.labelItem.widget().deleteLater()
        return editor

    def _add(self, field: dataclasses.Field[Any], kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Options):
            section = Form(kind)
            self.sections[field.name] = section
            self.layout().addWidget(QLabel(f"<b>{label_of(field)}</b>"))
            self.layout().addWidget(section)
            return
        editor = make_editor(field, kind)
        if editor is None:
            return
        self.editors[field.name] = editor
        editor.widget.setObjectName(field.name)
        label = QLabel(label_of(field))
        for widget in (label, editor.widget):
            widget.setToolTip(field.metadata.get("help", ""))
        rows = self._advanced if field.metadata.get("advanced") else self._plain
        rows.addRow(label, editor.widget)


def build_form(options_class: type[Any], *, skip: Collection[str] = ()) -> Form:
    """Make a form that shows the defaults of an options class.

    Parameters
    ----------
    options_class
        A dataclass whose fields are made with `option`.
    skip
        Fields that are asked for elsewhere.
    """
    form = Form(options_class, skip=skip)
    write_form(form, options_class())
    return form


def read_form(form: Form, **elsewhere: Any) -> Any:
    """Return the options that the form shows.

    Parameters
    ----------
    form
        From `build_form`.
    **elsewhere
        Values of the fields that the form skipped; the others keep their defaults.

    Raises
    ------
    CrlmSpaError
        If a value lies outside its range.
    """
    values = {name: editor.get() for name, editor in form.editors.items()}
    sections = {name: read_form(section) for name, section in form.sections.items()}
    return form.options_class(**values, **sections, **elsewhere)


def write_form(form: Form, options: Any) -> None:
    """Show the values of `options` in the form."""
    for name, editor in form.editors.items():
        editor.set(getattr(options, name))
    for name, section in form.sections.items():
        write_form(section, getattr(options, name))


def label_of(field: dataclasses.Field[Any]) -> str:
    """Name a field for the user: its label, or its name in words, with the unit."""
    words = field.metadata.get("label") or _words(field.name)
    unit = field.metadata.get("unit")
    return f"{words} ({unit})" if unit else words


def _words(name: str) -> str:
    for suffix in UNIT_SUFFIXES:
        name = name.removesuffix(suffix)
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def make_editor(field: dataclasses.Field[Any], kind: Any) -> Editor | None:
    """Make the input widget for a field, or None if its type has no widget."""
    choices = field.metadata.get("choices") or ()
    if choices:
        return _choice(choices)
    makers: dict[Any, Callable[[dataclasses.Field[Any]], Editor]] = {
        bool: _check_box,
        int: _whole_number,
        float: _number,
        str: _text,
        Path | None: _file,
    }
    maker = makers.get(kind)
    return maker(field) if maker else None


class _WholeNumberBox(QSpinBox):
    """A number that the mouse wheel cannot change while the form is scrolled."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the scroll area around."""
        event.ignore()


class NumberBox(QDoubleSpinBox):
    """A number that the mouse wheel cannot change while the form is scrolled.

    It is written with a point in every country, as all our tables are. A comma that is typed
    becomes one: where it is the custom, Qt would take 0.5 for 5.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setLocale(QLocale.c())

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Take a comma for a point."""
        state: tuple[QValidator.State, str, int] = super().validate(
            (text or "").replace(",", "."), position
        )
        return state

    def textFromValue(self, value: float) -> str:  # noqa: N802 - Qt's name
        """Leave out trailing zeros."""
        text = f"{value:.{self.decimals()}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the scroll area around."""
        event.ignore()


def _choice(choices: Collection[str]) -> Editor:
    box = QComboBox()
    box.addItems(list(choices))
    return Editor(box, box.currentText, box.setCurrentText)


def _check_box(field: dataclasses.Field[Any]) -> Editor:
    box = QCheckBox()
    return Editor(box, box.isChecked, box.setChecked)


def _whole_number(field: dataclasses.Field[Any]) -> Editor:
    box = _WholeNumberBox()
    low, high = _range(field)
    box.setRange(int(low), int(high))
    return Editor(box, box.value, box.setValue)


def _number(field: dataclasses.Field[Any]) -> Editor:
    box = NumberBox()
    box.setDecimals(DECIMALS)
    box.setRange(*_range(field))
    box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    return Editor(box, box.value, box.setValue)


def _text(field: dataclasses.Field[Any]) -> Editor:
    line = QLineEdit()
    return Editor(line, line.text, line.setText)


def _file(field: dataclasses.Field[Any]) -> Editor:
    line, button = QLineEdit(), QToolButton()
    button.setText("…")
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(line, 1)
    layout.addWidget(button)

    def choose() -> None:
        path, _ = QFileDialog.getOpenFileName(row, label_of(field), line.text())
        if path:
            line.setText(path)

    button.clicked.connect(choose)
    return Editor(
        row,
        lambda: Path(line.text().strip()) if line.text().strip() else None,
        lambda path: line.setText("" if path is None else str(path)),
    )


def _range(field: dataclasses.Field[Any]) -> tuple[float, float]:
    low, high = field.metadata.get("min"), field.metadata.get("max")
    return -UNBOUNDED if low is None else low, UNBOUNDED if high is None else high


def _rows() -> QFormLayout:
    rows = QFormLayout()
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setVerticalSpacing(3)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return rows
