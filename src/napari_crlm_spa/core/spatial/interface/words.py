"""Words that stand beside everything the interface analysis shows. The one place."""

#: The wording of `core.risk.RESEARCH_USE_ONLY`, for an estimate of the growth pattern.
RESEARCH_USE_ONLY = (
    "For research use only; an estimate from a tissue map, not a pathology report: "
    "desmoplastic or not, never replacement or pushing."
)
