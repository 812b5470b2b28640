"""The dock of the growth pattern."""
