"""The score of a final model, its cut-off, and the risk model for the next patient."""
