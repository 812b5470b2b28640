"""Drawing areas over a slide, keeping them in files, making labeled tiles of them. No Qt."""
