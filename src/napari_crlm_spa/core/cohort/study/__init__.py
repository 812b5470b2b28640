"""A whole analysis of a cohort: what is computed in which order, and its folder."""
