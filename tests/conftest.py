"""Tiny networks that many tests share; tests must not change them."""

import pytest

from tests import tiny


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
