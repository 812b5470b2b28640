"""D or non-D by named rules, and when there is no call.

``strict``: desmoplastic along all of what can be judged (Galjart et al. 2019; guideline of 2022).
``tolerant``: up to 5 % may be something else (desmo-95 of the R pipelines). ``predominant``: more
than half (as in 2017). ``continuous``: no call, the percentage is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.summary import InterfaceSummary

RULES = ("strict", "tolerant", "predominant", "continuous")
DESMOPLASTIC = "D"
NOT_DESMOPLASTIC = "non-D"
_HALF = 50.0


@dataclass(frozen=True, slots=True)
class Call:
    """What a rule makes of the percentages.

    Parameters
    ----------
    rule
        One of `RULES`.
    call
        ``"D"``, ``"non-D"``, or None: refused, or the rule makes no call.
    reason
        Why, in a sentence.
    """

    rule: str
    call: str | None
    reason: str

    def as_dict(self) -> dict[str, str | None]:
        """Return it ready for JSON."""
        return {"rule": self.rule, "call": self.call, "reason": self.reason}


def refusals(summary: InterfaceSummary, options: InterfaceOptions) -> tuple[str, ...]:
    """Say why there is no call, in sentences; empty if there may be one."""
    if not summary.assessable_mm:
        nothing = (
            "No call: nothing of the tumor's outline can be judged. Choose a slide with liver "
            "around living tumor."
        )
        return (nothing,)
    found = []
    if summary.assessable_fraction < options.min_assessable:
        found.append(
            f"No call: only {summary.assessable_fraction:.0%} of the tumor's outline can be "
            f"judged, and at least {options.min_assessable:.0%} is asked for. "
            "Choose a slide with more liver around the tumor."
        )
    if summary.assessable_mm < options.min_interface_mm:
        found.append(
            f"No call: {summary.assessable_mm:.1f} mm of interface can be judged, and at least "
            f"{options.min_interface_mm:g} mm are asked for. Choose a slide with more interface."
        )
    return tuple(found)


def calls(
    summary: InterfaceSummary, refused: tuple[str, ...], options: InterfaceOptions
) -> dict[str, Call]:
    """Apply every rule.

    Parameters
    ----------
    summary
        Percentages of a slide or a lesion.
    refused
        Sentences that keep all rules from a call.
    options
        What the tolerant rule tolerates.
    """
    if refused:
        return {rule: Call(rule, None, refused[0]) for rule in RULES}
    rest = summary.pct_N + summary.pct_O
    share = f"{summary.pct_D:.1f} % of {summary.assessable_mm:.1f} mm is desmoplastic"
    tests = {
        "strict": (rest <= 0, "the strict rule asks for 100 %"),
        "tolerant": (
            rest <= options.tolerant_pct,
            f"the tolerant rule asks for {100 - options.tolerant_pct:g} %",
        ),
        "predominant": (summary.pct_D > _HALF, "the predominant rule asks for more than half"),
    }
    found = {
        rule: Call(rule, DESMOPLASTIC if met else NOT_DESMOPLASTIC, f"{share}; {asks}.")
        for rule, (met, asks) in tests.items()
    }
    found["continuous"] = Call("continuous", None, f"{share}; this rule has no cut-off.")
    return found
