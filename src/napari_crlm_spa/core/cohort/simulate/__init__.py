"""Drawn cohorts with a known truth."""
