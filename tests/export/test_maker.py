"""A maker of pictures outside: SavedModel in the C++ runtime and LiteRT, against Keras."""

import io
import json

import numpy as np
import pytest
from PIL import Image

import tfimg
from export import client, conversion, launch, lite_maker, loading, saved_model, tflite
from export.session import Session

# int8 is calibrated on prompts that the tiny text branch cuts.
pytestmark = pytest.mark.filterwarnings("ignore:the instruction has")
SIDE = 16
WORDS = ["make it bright", "去掉噪点"]


@pytest.fixture(scope="module")
def folder(maker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "maker" / "1"
    saved_model.write(maker, folder, "nowhere", 1)
    assert (folder / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 100
    return folder


@pytest.fixture(scope="module")
def session(folder):
    with Session(folder) as session:
        yield session


@pytest.fixture(scope="module")
def served(folder):
    with launch.served(folder) as served:
        yield served


@pytest.fixture(scope="module")
def phone(maker, tmp_path_factory):
    """A function from a precision to a maker in LiteRT."""
    made = {}

    def load(quantize):
        if quantize not in made:
            folder = tmp_path_factory.mktemp("phone") / "model"
            tflite.write(maker, folder, quantize, None, [])
            made[quantize] = lite_maker.LiteMaker(folder)
        return made[quantize]

    return load


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_server_makes_what_it_is_asked_for(maker, served, protocol, tmp_path, capsys):
    options = ["--server", getattr(served, protocol), "--protocol", protocol, "--model", "maker"]
    out = tmp_path / "made.png"
    assert client.main(["--generate", WORDS[1], "--seed", "5", "-o", str(out), *options]) == 0
    expected = maker.generate(WORDS[1], seed=5)[0].astype(int)
    assert np.abs(np.asarray(Image.open(out)) - expected).max() <= 1
    capsys.readouterr()
    for arguments, message in (
        (["--generate", " "], "empty"),
        (["--generate", "rain", "--seed", "-1"], "seed is -1"),
        (["photo.png", "--generate", "rain"], "photo.png"),
        ([], "name pictures"),
    ):
        assert client.main([*arguments, "-o", str(tmp_path / "no.png"), *options]) == 2
        error = capsys.readouterr().err.strip()
        assert message in error and "\n" not in error
    asking = client.Client(options[1], "maker", protocol)
    for prompt, message in ((" ", "prompt is empty"), ("x" * 5000, "prompt has 5000 bytes")):
        with pytest.raises(client.ServerError, match=message):
            asking.generate(prompt)
    assert not (tmp_path / "no.png").exists()


def test_a_seed_gives_the_picture_that_keras_gives(maker, session):
    inputs = {"prompt": WORDS, "seed": np.array([3, 2**40], np.int64)}
    found = session.run("generate", inputs)["image"]
    encoded = session.run("serving_default", inputs)["image_bytes"]
    embedded = session.run("encode_text", {"prompt": WORDS})["embedding"]
    again = session.run("generate_embedded", {"embedding": embedded, "seed": inputs["seed"]})
    for row, (words, seed) in enumerate(zip(WORDS, (3, 2**40), strict=True)):
        expected = maker.generate(words, seed=seed)[0].astype(int)
        assert np.abs(found[row] - expected).max() <= 1
        assert np.abs(again["image"][row] - expected).max() <= 1
        decoded = np.asarray(Image.open(io.BytesIO(encoded[row])))
        assert np.abs(decoded - expected).max() <= 1
        np.testing.assert_allclose(embedded[row], maker.embed(words), atol=1e-5)


@pytest.mark.parametrize(
    ("prompt", "seed", "message"),
    [(" ", 0, "prompt is empty"), ("x" * 1001, 0, "1000 characters"), ("rain", -1, "negative")],
)
def test_the_graph_refuses_what_python_refuses(session, prompt, seed, message):
    with pytest.raises(Exception, match=message):
        session.run("generate", {"prompt": [prompt], "seed": np.array([seed], np.int64)})


@pytest.mark.parametrize("quantize", conversion.QUANTIZATIONS)
def test_the_phone_draws_what_keras_draws(maker, phone, quantize):
    model, most = phone(quantize), {"none": 1, "float16": 2, "dynamic": 12, "int8": 40}[quantize]
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    for words in WORDS:
        embedding = maker.embed(words)
        expected = maker.backbone.image_network.predict_on_batch(
            {
                "image": noise[None] / np.float32(255),
                "mask": np.zeros((1, SIDE, SIDE, 1), np.float32),
                "embedding": embedding[None],
            }
        )["image"][0]
        found = model.draw(noise, embedding)
        assert found.shape == (SIDE, SIDE, 3) and found.dtype == np.uint8
        assert np.abs(found - np.clip(expected, 0, 1) * 255).max() <= most + 0.5
        if quantize == "none":
            np.testing.assert_allclose(model.embed(words), embedding, atol=1e-4)


def test_the_phone_draws_by_seed(phone):
    model = phone("none")
    one, same, other = (model.generate("rain", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one.astype(int) - other).max() > 2
    with pytest.raises(ValueError, match="empty"):
        model.generate(" ")


def test_the_command_writes_a_picture_or_says_why_not(maker, tmp_path, capsys):
    folder = tmp_path / "phone"
    tflite.write(maker, folder, "none", SIDE, [])
    out = tmp_path / "rain.png"
    assert lite_maker.main([str(folder), "rain", "-o", str(out)]) == 0
    assert np.asarray(Image.open(out)).shape == (SIDE, SIDE, 3)
    for arguments, message in (
        ([str(tmp_path / "none"), "rain"], "model.json"),
        ([str(folder), " "], "empty"),
        ([str(folder), "rain", "--seed", "-4"], "seed is -4"),
    ):
        assert lite_maker.main([*arguments, "-o", str(out)]) == 2
        assert message in capsys.readouterr().err
    description = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**description, "diagnosis": {}}))
    assert lite_maker.main([str(folder), "rain", "-o", str(out)]) == 2
    assert "export.lite" in capsys.readouterr().err


def test_a_preset_is_loaded_as_what_it_is(maker, preset, tmp_path):
    maker.save_to_preset(str(tmp_path / "maker"))
    assert isinstance(loading.load(str(tmp_path / "maker")), tfimg.TextToImage)
    assert isinstance(loading.load(str(preset)), tfimg.ImageRestorer)
    with pytest.raises(ValueError, match="cannot load preset 'describer'"):
        loading.load("describer")
    with pytest.raises(ValueError, match="found size 32"):
        tflite.write(maker, tmp_path / "phone", "none", 32, [])
