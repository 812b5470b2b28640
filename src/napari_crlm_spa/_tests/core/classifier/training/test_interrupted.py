"""Trainings that are killed or interrupted for real, in a process of their own."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from napari_crlm_spa._tests.core.classifier.training.conftest import run_to_end, tiny_options
from napari_crlm_spa.core.classifier.training import train_classifier
from napari_crlm_spa.core.classifier.weights import load_model

#: Signals itself in the middle of epoch 3 of 4: Windows knows no SIGKILL, but ends a process alike.
_PROGRAM = """
import os, signal, sys
from pathlib import Path
from napari_crlm_spa._tests.core.classifier.training import test_interrupted as here
from napari_crlm_spa.core.classifier.training import train_classifier

kind = getattr(signal, sys.argv[3], signal.SIGTERM)
for step in train_classifier(Path(sys.argv[1]), Path(sys.argv[2]), here.recipe()):
    if step.stage == "Epoch 3 of 4" and step.done > 2.4 * step.total / 4:
        os.kill(os.getpid(), kind)
sys.exit("the signal did not end the training")
"""

_COMMAND = """
import os, signal, sys
from napari_crlm_spa.cli import main, progress
from napari_crlm_spa.core.classifier.training import loop

def interrupted(*arguments):
    for step in epochs(*arguments):
        yield step
        if step.stage == "Epoch 3 of 4":
            os.kill(os.getpid(), signal.SIGINT)

epochs, loop._epochs = loop._epochs, interrupted
# A job in the background is born deaf to Ctrl-C; one in a terminal, as here, is not.
signal.signal(signal.SIGINT, signal.default_int_handler)
main.main()
"""


def recipe():
    return tiny_options(epochs=4, batch_size=12, dropout=0.3, ema=0.9, stain_mix=0.4)


def files(folder):
    names = ("weights.safetensors", "card.json", "reference.safetensors")
    return {name: (folder / name).read_bytes() for name in names}


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", *map(str, arguments)],
        # Sums are split among threads: only with as many as here are they the same to the bit.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(colored_tiles, tmp_path_factory):
    """The same training, never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    run_to_end(train_classifier(colored_tiles, folder, recipe()))
    return folder


def test_a_training_killed_within_an_epoch_ends_with_the_same_bytes(whole, colored_tiles, tmp_path):
    killed = run(_PROGRAM, colored_tiles, tmp_path, "SIGKILL")
    if hasattr(signal, "SIGKILL"):
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "did not end" not in killed.stderr
    assert not (tmp_path / "reference.safetensors").exists()
    steps = list(train_classifier(colored_tiles, tmp_path, recipe()))
    trained = [step.stage for step in steps if step.stage.startswith("Epoch")]
    assert set(trained) == {"Epoch 3 of 4", "Epoch 4 of 4"}
    assert files(tmp_path) == files(whole)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_keeps_the_best_so_far_and_the_same_command_goes_on(whole, colored_tiles, tmp_path):
    flags = []
    for name, value in recipe().as_dict().items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            flags.append(flag if value else f"--no-{name.replace('_', '-')}")
        else:
            flags += [flag, value]
    command = ["train", colored_tiles, "-o", tmp_path, "--preset", "modern", *flags]
    stopped = run(_COMMAND, *command)
    assert stopped.returncode == 130, stopped.stderr
    assert "the same command goes" in stopped.stderr
    best, _ = load_model(tmp_path)
    assert best.training_recipe["kept_epoch"] in (1, 2)
    again = run("from napari_crlm_spa.cli.main import main; main()", *command)
    assert again.returncode == 0, again.stderr
    assert files(tmp_path) == files(whole)
