"""Where features are split: maximally selected rank statistics, their p values, stability."""
