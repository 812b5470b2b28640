"""Risk models with the user's own cut-offs, kept as files so that a run can use and record them.

No Qt.
"""

from __future__ import annotations

from pathlib import Path

from napari_crlm_spa.core.risk import RiskModel, load_risk_model, save_risk_model
from napari_crlm_spa.errors import InvalidRiskModel
from napari_crlm_spa.plugin.memory import own_models_folder

BY_HAND = "entered by hand in napari"
ADDITION = ", own cut-offs"


def own_model(name: str, row: int, text: str) -> Path:
    """Enter a cut-off into a copy of a model, or take it out.

    Parameters
    ----------
    name
        Name or file of the model that is changed. A preset or a file from elsewhere stays as it
        is; the copy is in the user's folder.
    row
        Which of its features.
    text
        The cut-off as typed; empty or ``?`` takes it out.

    Returns
    -------
    Path
        The copy.

    Raises
    ------
    InvalidRiskModel
        If the text is no number.
    """
    model = load_risk_model(name)
    features = list(model.features)
    cutoff = _number(text)
    source = "" if cutoff is None else BY_HAND
    features[row] = features[row].model_copy(update={"cutoff": cutoff, "cutoff_source": source})
    folder = own_models_folder()
    is_copy = Path(name).parent == folder
    path = Path(name) if is_copy else folder / f"{model.name}-own.json"
    title = model.title if is_copy else f"{model.title or model.name}{ADDITION}"
    own_name = model.name if is_copy else f"{model.name}-own"
    update = {"features": tuple(features), "title": title, "name": own_name}
    save_risk_model(RiskModel.model_validate(model.model_dump() | update), path)
    return path


def _number(text: str) -> float | None:
    typed = text.strip().replace(",", ".")
    if typed in ("", "?"):
        return None
    try:
        return float(typed)
    except ValueError:
        raise InvalidRiskModel(
            f"The cut-off {text!r} is no number. Type one such as 0.05, or nothing for none."
        ) from None
