"""Kaplan-Meier curves, log-rank tests, medians, follow-up, groups of patients."""
