"""Cox models: likelihood, fits, tests, selection, penalties."""
