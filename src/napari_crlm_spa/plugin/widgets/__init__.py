"""The panel's parts, one file each; they meet through the session's signals only."""
