"""The parts of a study, in the order in which they are computed: each adds its tables."""
