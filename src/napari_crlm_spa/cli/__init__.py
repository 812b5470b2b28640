"""The command line; importing it sets how OpenMP's threads wait, before PyTorch is loaded."""

import os

# Threads that wait for each other would spin for a while and take the processors from the threads
# that read the slide: on a busy machine of two cores that doubles an analysis' time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
