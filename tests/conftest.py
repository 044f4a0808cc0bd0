"""Tiny networks that many tests share; tests must not change them."""

import numpy as np
import pytest
from PIL import Image

import tfimg
from tests import tiny

# At the end they would keep one process busy while the other has nothing left.
_LONGEST = ("test_workers.py", "test_fit.py", "test_benchmark.py", "test_serve.py")


def pytest_collection_modifyitems(items):
    """Lets the files that take longest run first."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


@pytest.fixture(scope="session")
def untrained():
    """A restorer as it is before training."""
    return tiny.restorer()


@pytest.fixture(scope="session")
def restorer():
    """A restorer with random weights everywhere, so that every part has an effect."""
    return tiny.perturb(tiny.restorer())


@pytest.fixture(scope="session")
def preset(restorer, tmp_path_factory):
    """The folder of a saved preset; copy it before changing it."""
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    restorer.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def maker():
    """A maker of pictures of 16x16 with random weights, neither black nor white all over."""
    backbone = tiny.backbone(canvas=16, embedding_dim=7)
    made = tfimg.TextToImage(tiny.perturb(backbone), tiny.preprocessor())
    backbone.image_network.get_layer("to_image").bias.assign([0.5] * 3)
    return made


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder with two smooth pictures that are large enough to train on."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(2):
        small = Image.fromarray(rng.integers(0, 255, (20, 20, 3), np.uint8))
        small.resize((160, 150), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder
