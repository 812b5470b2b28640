"""How the threads of the network wait for each other."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("given", "then"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")]
)
def test_threads_of_the_network_do_not_spin_unless_asked_to(given, then):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    code = "import os, napari_crlm_spa.core.classifier; print(os.environ['OMP_WAIT_POLICY'])"
    command = [sys.executable, "-c", code]
    said = subprocess.check_output(command, env=environment | given, text=True)
    assert said.strip() == then
