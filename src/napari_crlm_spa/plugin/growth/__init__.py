"""The growth pattern in napari: the measured interface, its strip, and what readers say."""
