"""A cohort in the viewer: what is shown of it and what is done with it. No Qt."""
