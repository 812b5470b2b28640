"""Which features go with which clinical factors."""
