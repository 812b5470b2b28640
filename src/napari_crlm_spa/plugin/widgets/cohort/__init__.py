"""The dock "CRLM-SPA cohort": patients, survival curves, neighbors, and their slides."""
