"""The SavedModel in TensorFlow's C++ runtime: every signature, odd pictures, and refusals."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import operations, saved_model
from export.loading import load
from export.session import Session
from tests import tiny
from tfimg.degradations import INTENTS
from tfimg.tasks.image_classifier import ImageClassifier

PICTURE = np.random.default_rng(0).integers(0, 256, (13, 21, 3), np.uint8)
WORDS = ["remove the noise", "去掉噪点"]
MAX_PIXELS = 10_000


@pytest.fixture(scope="module")
def folder(restorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "restorer" / "1"
    saved_model.write(restorer, folder, "nowhere", MAX_PIXELS)
    return folder


@pytest.fixture(scope="module")
def session(folder):
    with Session(folder) as session:
        yield session


def _encoded(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def _decoded(image_bytes):
    return np.asarray(Image.open(io.BytesIO(image_bytes)))


def _assert_same_picture(found, expected):
    """Equal but for where a value lies at the border between two levels."""
    assert found.shape == expected.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected).max() <= 1


def _serve(session, image_bytes, instruction="remove the noise"):
    inputs = {"image_bytes": [image_bytes], "instruction": [instruction]}
    return session.run("serving_default", inputs)["image_bytes"][0]


def test_the_contract_is_there(session):
    found = {name: (set(s.inputs), set(s.outputs)) for name, s in session.signatures.items()}
    assert found == {
        "serving_default": ({"image_bytes", "instruction"}, {"image_bytes"}),
        "restore": ({"image", "instruction"}, {"image"}),
        "restore_embedded": ({"image", "embedding"}, {"image"}),
        "encode_text": ({"instruction"}, {"embedding"}),
        "interpret": ({"instruction"}, {"probabilities"}),
        "classify": ({"image"}, {"probabilities", "severity"}),
    }


@pytest.mark.parametrize("size", [(13, 21), (16, 16), (1, 1), (3, 50), (17, 2)])
def test_pictures_of_any_size_come_back_as_from_keras(session, restorer, size):
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    for words in WORDS:
        expected = restorer.restore(picture, words)
        out = session.run("restore", {"image": picture[None], "instruction": [words]})["image"]
        _assert_same_picture(out[0], expected)
        _assert_same_picture(_decoded(_serve(session, _encoded(picture), words)), expected)


def test_words_are_encoded_once_for_many_pictures(session, restorer):
    embedding = session.run("encode_text", {"instruction": WORDS})["embedding"]
    np.testing.assert_allclose(embedding, [restorer.embed(w) for w in WORDS], atol=1e-5)
    batch = np.stack([PICTURE, PICTURE[::-1]])
    out = session.run("restore_embedded", {"image": batch, "embedding": embedding})["image"]
    for picture, words, found in zip(batch, WORDS, out, strict=True):
        _assert_same_picture(found, restorer.restore(picture, words))


def test_a_batch_holds_pictures_of_several_sizes(session, restorer):
    pictures = [PICTURE, PICTURE[:5, :9], PICTURE[:, :8]]
    words = [*WORDS, "the haze"]
    inputs = {"image_bytes": [_encoded(p) for p in pictures], "instruction": words}
    for picture, sentence, found in zip(
        pictures, words, session.run("serving_default", inputs)["image_bytes"], strict=True
    ):
        _assert_same_picture(_decoded(found), restorer.restore(picture, sentence))


def test_sentences_and_pictures_are_told_as_in_keras(session, restorer):
    found = session.run("interpret", {"instruction": WORDS})["probabilities"]
    expected = [[row[name] for name in INTENTS] for row in restorer.interpret(WORDS)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    wide = np.random.default_rng(2).integers(0, 256, (11, 530, 3), np.uint8)
    for picture in (PICTURE, wide):
        found = session.run("classify", {"image": picture[None]})
        expected = classifier.diagnose(picture)
        for name in ("probabilities", "severity"):
            told = list(getattr(expected, name).values())
            np.testing.assert_allclose(found[name][0], told, atol=1e-5)


def test_without_a_clear_wish_what_is_found_is_undone(tmp_path):
    restorer = tiny.perturb(tiny.restorer())
    restorer.backbone.text_encoder.get_layer("intent_logits").bias.assign([-9.0] * 10)
    saved_model.write(restorer, tmp_path / "1", "nowhere", MAX_PIXELS)
    found = ImageClassifier(restorer.backbone, restorer.preprocessor).classify(PICTURE)
    wanted = np.array([value >= 0.5 for value in found.values()], np.float32)
    wanted[-1] = not wanted[:-1].any()
    with Session(tmp_path / "1") as session:
        inputs = {"image": PICTURE[None], "embedding": wanted[None]}
        expected = session.run("restore_embedded", inputs)["image"][0]
        inputs = {"image": PICTURE[None], "instruction": WORDS[:1]}
        np.testing.assert_array_equal(session.run("restore", inputs)["image"][0], expected)
        np.testing.assert_array_equal(_decoded(_serve(session, _encoded(PICTURE))), expected)


def _forced(folder, asked, found):
    """Exports a restorer for which all words and all pictures mean the same, as log-odds."""
    restorer = tiny.perturb(tiny.restorer())
    layers = (
        (restorer.backbone.text_encoder.get_layer("intent_logits"), asked),
        (restorer.backbone.image_network.get_layer("logits"), found),
    )
    for layer, odds in layers:
        layer.kernel.assign(np.zeros(layer.kernel.shape))
        layer.bias.assign([odds.get(name, -9.0) for name in INTENTS])
    saved_model.write(restorer, folder, "nowhere", MAX_PIXELS)
    return restorer


def test_what_a_picture_does_not_have_is_not_undone(tmp_path):
    asked = {"haze": 9.0, "damage": 9.0, "noise": 9.0}
    restorer = _forced(tmp_path / "1", asked, {"rain": 9.0})
    (intents,) = np.array([[*row.values()] for row in restorer.interpret(WORDS[:1])], np.float32)
    wide = np.random.default_rng(2).integers(0, 256, (8, 520, 3), np.uint8)
    with Session(tmp_path / "1") as session:

        def embedded(picture, without):
            left = np.where(np.isin(INTENTS, without), 0, intents).astype(np.float32)
            inputs = {"image": picture[None], "embedding": left[None]}
            return session.run("restore_embedded", inputs)["image"][0]

        # Every photo has a little noise; in a large one scratches may be too fine to be seen.
        for picture, without in ((PICTURE, ["haze", "damage"]), (wide, ["haze"])):
            inputs = {"image": picture[None], "instruction": WORDS[:1]}
            found = session.run("restore", inputs)["image"][0]
            np.testing.assert_array_equal(found, embedded(picture, without))
            assert np.abs(found.astype(int) - embedded(picture, [])).max() > 1
            _assert_same_picture(found, restorer.restore(picture, WORDS[0], say=list))


def test_each_row_of_a_batch_is_looked_at(tmp_path):
    restorer = tiny.perturb(tiny.restorer())
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    haze = INTENTS.index("haze")

    def tell_apart(layer, logits):
        """Gives the haze of the first a log-odds of -9, that of the second 9, all others -9."""
        first, second = logits - np.asarray(layer.bias)[haze]
        scale = 18 / (second - first)
        kernel, bias = np.zeros(layer.kernel.shape), np.full(len(INTENTS), -9.0)
        kernel[:, haze] = np.asarray(layer.kernel)[:, haze] * scale
        bias[haze] -= first * scale
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)

    def odds(rows):
        probabilities = np.array([row["haze"] for row in rows])
        return np.log(probabilities / (1 - probabilities))

    pictures = [PICTURE, PICTURE // 4]
    tell_apart(
        restorer.backbone.image_network.get_layer("logits"),
        odds(map(classifier.classify, pictures)),
    )
    words = restorer.backbone.text_encoder.get_layer("intent_logits")
    tell_apart(words, odds(restorer.interpret(WORDS)))
    saved_model.write(restorer, tmp_path / "1", "nowhere", MAX_PIXELS)
    rows = [(picture, sentence) for picture in pictures for sentence in WORDS]
    images, sentences = map(list, zip(*rows, strict=True))
    with Session(tmp_path / "1") as session:
        inputs = {"image": np.stack(images), "instruction": sentences}
        found = session.run("restore", inputs)["image"]
    # Clear or not, where there is no haze it stays as it is.
    for given, made in zip(images[:2], found[:2], strict=True):
        np.testing.assert_array_equal(made, given)
    for given, made in zip(images[2:], found[2:], strict=True):
        assert np.abs(made.astype(int) - given).max() > 1
    _assert_same_picture(found[2], found[3])


@pytest.mark.parametrize(("haze", "done"), [(-9.0, False), (-2.0, True)])
def test_where_nothing_is_left_to_do_not_a_pixel_changes(haze, done, tmp_path):
    restorer = _forced(tmp_path / "1", {"haze": 9.0}, {"haze": haze})
    with Session(tmp_path / "1") as session:
        inputs = {"image": PICTURE[None], "instruction": WORDS[:1]}
        found = session.run("restore", inputs)["image"][0]
        served = _decoded(_serve(session, _encoded(PICTURE)))
    assert (found != PICTURE).any() == done
    np.testing.assert_array_equal(served, found)
    _assert_same_picture(found, restorer.restore(PICTURE, WORDS[0], say=list))


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "L"), ("PNG", "RGBA"), ("PNG", "P")]
)
def test_files_are_decoded_as_pillow_does(session, restorer, kind, mode):
    picture = Image.fromarray(np.repeat(np.repeat(PICTURE, 4, axis=0), 4, axis=1)).convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    rgb = np.asarray(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))
    expected = restorer.restore(rgb, "remove the noise").astype(int)
    found = _decoded(_serve(session, buffer.getvalue())).astype(int)
    # Libraries for JPEG may round a level differently, which the random network amplifies.
    assert np.abs(found - expected).max() <= (1 if kind == "PNG" else 8)
    assert np.abs(found - expected).mean() < 0.1


def _huge_png():
    header = _encoded(PICTURE)
    return header[:16] + (20_000).to_bytes(4) + (10_000).to_bytes(4) + header[24:]


@pytest.mark.parametrize(
    ("image_bytes", "words", "message"),
    [
        (b"just some text", "remove the noise", "neither a PNG nor a JPEG"),
        (b"", "remove the noise", "neither a PNG nor a JPEG"),
        (_encoded(PICTURE)[:100], "remove the noise", "PNG"),
        (b"\xff\xd8\xff\xe0 no picture", "remove the noise", "JPEG"),
        (_huge_png(), "remove the noise", "more than 10000 pixels"),
        (_encoded(np.zeros((101, 100, 3), np.uint8), "JPEG"), "remove", "more than 10000 pixels"),
        (_encoded(PICTURE), " \t", "the instruction is empty"),
        (_encoded(PICTURE), "x" * 10**6, "the instruction has more than 4096 bytes"),
    ],
)
def test_bad_input_is_an_error_with_a_reason_and_the_model_lives(
    session, image_bytes, words, message
):
    with pytest.raises(ValueError, match=message):
        _serve(session, image_bytes, words)
    assert _decoded(_serve(session, _encoded(PICTURE))).shape == PICTURE.shape


def test_what_lies_beside_the_graph(folder, session):
    extra = folder / "assets.extra"
    assert json.loads((extra / "labels.json").read_text()) == list(INTENTS)
    from tensorflow_serving.apis import prediction_log_pb2

    replayed = set()
    for record in tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "restorer"
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        assert session.run(request.model_spec.signature_name, inputs)
        replayed.add(request.model_spec.signature_name)
    assert replayed == set(session.signatures)


def test_an_operation_that_servers_lack_is_found(folder, tmp_path):
    assert operations.unexpected(folder) == set()

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def sine(self, x):
            return tf.sin(x)

    module = Module()
    tf.saved_model.save(module, str(tmp_path), signatures=module.sine)
    assert operations.unexpected(tmp_path) == {"Sin"}


def test_the_command_writes_a_version_once(preset, tmp_path, capsys):
    out = tmp_path / "restorer" / "7"
    arguments = ["--preset", str(preset), "--out", str(out)]
    assert saved_model.main(arguments) == 0
    assert (out / "saved_model.pb").is_file() and (out / "assets.extra" / "labels.json").is_file()
    assert sorted(path.name for path in out.parent.iterdir()) == ["7"]
    before = (out / "saved_model.pb").stat().st_mtime_ns
    assert saved_model.main(arguments) == 2
    assert "next version" in capsys.readouterr().err
    assert (out / "saved_model.pb").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("out", "preset", "message"),
    [
        ("restorer/newest", None, "version"),
        ("restorer/1", "nowhere", "nowhere"),
        ("restorer/1", "describer", "cannot load preset 'describer'"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(out, preset, message, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / out), *(["--preset", preset] if preset else [])]
    assert saved_model.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_no_pixels_are_refused_in_one_line(count, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        saved_model.main(["--out", str(tmp_path / "restorer" / "1"), "--max-pixels", count])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.strip()
    assert "--max-pixels" in error and count in error and "\n" not in error


def test_a_failed_export_leaves_nothing(restorer, tmp_path, monkeypatch):
    monkeypatch.setattr(operations, "unexpected", lambda folder: {"Sin"})
    with pytest.raises(ValueError, match="Sin"):
        saved_model.write(restorer, tmp_path / "restorer" / "1", "nowhere", MAX_PIXELS)
    assert list((tmp_path / "restorer").iterdir()) == []


def test_labels_of_ones_own_are_told(preset, tmp_path):
    mine = ImageClassifier.from_preset(str(preset), labels=["cat", "dog"])
    mine.save_to_preset(str(tmp_path / "mine"))
    folder = tmp_path / "pets" / "1"
    saved_model.write(load(str(tmp_path / "mine")), folder, tmp_path / "mine", MAX_PIXELS)
    assert json.loads((folder / "assets.extra" / "labels.json").read_text()) == ["cat", "dog"]
    with Session(folder) as session:
        for words in ("a picture", "the noise"):
            inputs = {"image": PICTURE[None], "instruction": [words]}
            found = session.run("classify", inputs)["probabilities"]
            expected = [*mine.classify(PICTURE, words).values()]
            np.testing.assert_allclose(found, [expected], atol=1e-5)
        assert _decoded(_serve(session, _encoded(PICTURE), "fix this")).shape == PICTURE.shape
