import numpy as np
import pytest
import torch

from napari_crlm_spa._tests.core.classifier.test_card import card
from napari_crlm_spa.core.classifier.card import Architecture, save_card
from napari_crlm_spa.core.classifier.network import build_network, last_block, network_for
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.errors import DamagedWeights


@pytest.fixture
def network():
    torch.manual_seed(0)
    return network_for(card()).eval()


@pytest.fixture
def tiles():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8))


def test_a_model_survives_the_round_trip(tmp_path, network, tiles):
    written = save_model(tmp_path, card(), network, half=False)
    read, again = load_model(tmp_path)
    assert read == written
    assert torch.equal(again(tiles), network(tiles))


def test_half_precision_halves_the_file_and_hardly_changes_the_logits(tmp_path, network, tiles):
    save_model(tmp_path / "full", card(), network, half=False)
    save_model(tmp_path / "half", card(), network)
    sizes = [(tmp_path / name / "weights.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.8 * sizes[0]
    _, again = load_model(tmp_path / "half")
    assert torch.allclose(again(tiles), network(tiles), atol=0.01)
    assert all(v.dtype != torch.float16 for v in again.state_dict().values())


def test_changed_weights_are_refused(tmp_path, network):
    save_model(tmp_path, card(), network)
    path = tmp_path / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedWeights, match="SHA-256 differs"):
        load_model(tmp_path)


def test_missing_weights_are_refused(tmp_path, network):
    save_model(tmp_path, card(), network)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(DamagedWeights, match="cannot be read"):
        load_model(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path, network):
    written = save_model(tmp_path, card(), network)
    wider = Architecture(name="tiny", hidden=9)
    save_card(tmp_path, written.model_copy(update={"architecture": wider}))
    with pytest.raises(DamagedWeights, match="does not fit the network tiny"):
        load_model(tmp_path)


def test_tiles_are_averaged_down_inside_the_network(network, tiles):
    blocks = tiles.float().permute(0, 3, 1, 2).reshape(5, 3, 16, 2, 16, 2).mean((3, 5))
    assert torch.allclose(network(tiles), network.logits(blocks), atol=1e-4)


def test_pixels_are_scaled_as_the_card_says(network):
    gray = torch.full((1, 3, 16, 16), 0.456 * 255)
    seen = (gray - network.mean) / network.std
    assert seen[0, :, 0, 0].tolist() == pytest.approx(
        [(0.456 - 0.485) / 0.229, 0.0, (0.456 - 0.406) / 0.225], abs=1e-4
    )


def test_the_head_is_that_of_the_paper(network):
    kinds = [type(layer).__name__ for layer in network.head]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]


def test_the_network_can_be_exported_without_knowing_the_data(network, tiles):
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(network, (tiles,), dynamic_shapes=({0: batch},)).module()
    other = torch.flip(tiles, (0,))[:3]
    assert torch.allclose(program(other), network(other), atol=1e-5)


@pytest.mark.parametrize(("name", "features"), [("resnet18", 512), ("resnet50", 2048)])
def test_the_trunk_is_the_residual_network_asked_for(name, features):
    network = build_network(Architecture(name=name, hidden=8), 7, 64, 64)
    assert network.head[0].in_features == features
    assert last_block(network) is network.trunk.layer4
