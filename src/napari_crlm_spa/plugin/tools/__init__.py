"""What a hand with a mouse does to the tiles of a map. No Qt.

`shapes` and `fill` find tiles, `deed` says what happens to them, `stroke` shows it while the
mouse moves and makes one step of the review of it, `hand` holds the tool over the canvas.
"""
