"""The cohort: from features of many slides and a clinical table to survival results."""
