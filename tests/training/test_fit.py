"""Whole training runs, tiny ones: what they leave, and what a kill does not change."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import keras_hub
import numpy as np
import pytest
from PIL import Image

import tfimg
from tests import tiny
from tfimg.network import SIZES
from training import fit, recipes, runs
from training.kinds import Options, kind_of
from training.sentences import draw_sentences, sentence_batches

STEPS = 8
COMMAND = ("--recipe", "restorer_tiny", "--steps", str(STEPS), "--checkpoint-every", "2")


def train(photos, out, *more):
    """Runs the command in a process of its own, as people do."""
    command = [sys.executable, "-m", "training.fit", *COMMAND, "--log-every", "1", *more]
    return subprocess.Popen(
        [*command, "--data", str(photos), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def losses(out):
    rows = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows}


def test_a_killed_run_goes_on_as_if_nothing_had_happened(photos, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = train(photos, killed)
    deadline = time.monotonic() + 240
    while not (killed / "checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(losses(killed)) < STEPS, "it was killed half-way"

    straight, resumed = train(photos, whole), train(photos, killed, "--resume")
    for process in (straight, resumed):
        text, _ = process.communicate(timeout=300)
        assert process.returncode == 0, text
    assert losses(killed) == pytest.approx(losses(whole), rel=1e-5)
    assert sorted(losses(killed)) == list(range(1, STEPS + 1))

    restorer = tfimg.ImageRestorer.from_preset(str(killed / "preset"))
    size = (killed / "preset" / "model.weights.h5").stat().st_size
    assert size < 2 * restorer.count_params() + 400_000, "half precision, no optimiser"
    image = np.full((9, 11, 3), 99, np.uint8)
    assert restorer.restore(image, "remove the noise").shape == image.shape
    events = list((killed / "tensorboard").iterdir())
    assert events and all(event.stat().st_size for event in events)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "restorer_tiny"], "--data"),
        (["--recipe", "words", "--init", "no_such_preset"], "no_such_preset"),
        (["--recipe", "words", "--mixed-precision", "float7"], "float7"),
        (["--recipe", "diagnosis", "--data", "."], "give it with --init"),
        (
            ["--recipe", "restorer_tiny", "--data", ".", "--init", "a", "--text-encoder", "b"],
            "leave out --text-encoder",
        ),
        (["--recipe", "words", "--words", "a"], "--words is for the recipes restorer_"),
        (
            ["--recipe", "restorer_tiny", "--data", ".", "--init", "a", "--words", "b"],
            "without --init",
        ),
        (["--recipe", "restorer_tiny", "--data", ".", "--words", "no_such_preset"], "no_such_pr"),
        (["--recipe", "words", "--seed", "-1"], "Seed must be"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, tmp_path, capsys):
    assert fit.main([*arguments, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--steps", "--checkpoint-every", "--log-every"])
@pytest.mark.parametrize("value", ["0", "-5", "some"])
def test_numbers_of_nothing_are_refused_in_one_line(option, value, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        fit.main(["--recipe", "words", option, value, "--out", str(tmp_path / "run")])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.strip()
    assert option in error and value in error and "\n" not in error


_HOSTS = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}


@pytest.mark.parametrize(
    ("config", "message"),
    [("{", "TF_CONFIG"), (json.dumps(_HOSTS), "icons_small has a critic; train it in one process")],
)
def test_a_bad_cluster_is_refused_before_anything_loads(
    config, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("TF_CONFIG", config)
    arguments = ["--recipe", "icons_small", "--data", "nowhere", "--out", str(tmp_path / "run")]
    assert fit.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "checkpoint.npz").write_bytes(b"precious")
    assert fit.main(["--recipe", "words", "--out", str(tmp_path)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "checkpoint.npz").read_bytes() == b"precious"


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_preset_is_kept_whose_checkpoint_is_gone(more, tmp_path, capsys):
    (tmp_path / "preset").mkdir()
    arguments = ["--recipe", "words", "--steps", "1", "--init", "none", "--out", str(tmp_path)]
    assert fit.main([*arguments, *more]) == 2
    assert capsys.readouterr().err == (
        f"training.fit: error: {tmp_path} holds preset of a run and no checkpoint.npz; give "
        "another --out\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


_GROWING = {"steps": 4, "batch_size": 4, "crop_sizes": ((0, 24), (0.5, 32))}


@pytest.mark.parametrize(
    "recipe", [recipes.Restorer(size="tiny", **_GROWING), recipes.Diagnosis(**_GROWING)]
)
def test_crops_grow_at_their_step(photos, recipe):
    task = tiny.restorer()
    batches = kind_of(recipe).source(recipe, task, Options(data=(photos,)), steps=4)
    whole = [x["image"] for x, *_ in batches(0).take(4)]
    assert [images.shape[1] for images in whole] == [24, 24, 32, 32]
    for first in (1, 3):
        x, *_ = next(iter(batches(first)))
        np.testing.assert_array_equal(x["image"], whole[first])


def test_another_bert_learns_to_steer_a_trained_preset(preset, tmp_path):
    folder = tmp_path / "bert"
    bert = keras_hub.models.BertBackbone.from_config(
        {**tiny.bert(hidden_dim=24).get_config(), "max_sequence_length": 48}
    )
    bert.save_to_preset(str(folder))
    tiny.tokenizer().save_to_preset(str(folder))
    kind, recipe = kind_of(recipes.RECIPES["words"]), recipes.RECIPES["words"]
    task = kind.start(recipe, Options(init=str(preset), text_encoder=str(folder)))
    assert task.backbone.bert.hidden_dim == 24
    np.testing.assert_array_equal(
        task.backbone.bert.token_embedding.get_weights()[0], bert.token_embedding.get_weights()[0]
    )
    before = tfimg.ImageRestorer.from_preset(str(preset)).backbone.image_network.get_weights()
    after = task.backbone.image_network.get_weights()
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    embedding = task.embed("remove the noise")
    assert embedding.shape == (10,) and np.isfinite(embedding).all()


def test_what_is_frozen_is_not_trained():
    recipe = recipes.Restorer(size="tiny", steps=1, int8=True, frozen=("tone", "steer"))
    model = kind_of(recipe).trained(recipe, tiny.restorer())
    frozen, trained = (
        {variable.path.split("/")[0] for variable in variables}
        for variables in (model.non_trainable_variables, model.trainable_variables)
    )
    assert {"tone_patches", "tone_words", "tone_gain", "steer"} <= frozen
    assert {"stem", "decoder1_0_words", "to_image"} <= trained and not frozen & trained


def test_a_new_image_network_is_built_on_words_that_are_known(preset):
    kind, recipe = kind_of(recipes.RECIPES["restorer_tiny"]), recipes.RECIPES["restorer_tiny"]
    task = kind.start(recipe, Options(words=str(preset)))
    known = tfimg.ImageRestorer.from_preset(str(preset))
    assert task.backbone.size == SIZES["tiny"] != known.backbone.size
    assert task.interpret(["remove the rain"]) == known.interpret(["remove the rain"])
    image = tiny.picture()
    np.testing.assert_allclose(task.restore(image, "remove the rain"), image, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "recipe"), [("things_128", "pictures_draft"), ("things_256", "pictures")]
)
def test_recipes_for_larger_pictures_run_on_a_few(words, recipe, tmp_path, monkeypatch):
    """Alone and against a critic, in batches that a small machine can hold."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    folder, rng = tmp_path / "set", np.random.default_rng(0)
    folder.mkdir()
    rows = []
    for number in range(3):
        pixels = rng.integers(0, 255, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).resize((300, 280)).save(folder / f"{number}.png")
        rows.append(json.dumps({"file": f"{number}.png", "name": f"a photo of thing {number}"}))
    (folder / "rows.jsonl").write_text("\n".join(rows))
    small = dataclasses.replace(recipes.RECIPES[recipe], batch_size=2)
    monkeypatch.setitem(recipes.RECIPES, recipe, small)

    words, start, out = recipes.RECIPES[words], tmp_path / "words", tmp_path / "run"
    runs.save_preset(kind_of(words).start(words, Options()), start)
    run = ["--recipe", recipe, "--init", str(start), "--data", str(folder), "--out", str(out)]
    assert fit.main([*run, "--steps", "2", "--log-every", "1"]) == 0
    assert len(losses(out)) == 2 and all(np.isfinite(list(losses(out).values())))
    made = tfimg.TextToImage.from_preset(str(out / "preset")).generate("thing 1")
    assert np.shape(made) == (1, words.canvas, words.canvas, 3)


def test_sentences_carry_what_they_ask_for():
    sentences, labels = draw_sentences(200, "train", seed=0)
    assert len(sentences) == len(labels) == 200
    # Ten columns: a sentence that names nothing is marked as that and nothing else.
    nothing = labels[:, 9] == 1
    assert 0.1 < nothing.mean() < 0.4
    vague = labels.sum(1) == 0
    assert 0.02 < vague.mean() < 0.2
    assert (labels[nothing, :9] == 0).all()
    assert (labels[~nothing & ~vague, :9].sum(1) >= 1).all()
    assert draw_sentences(200, "train", seed=0)[0] == sentences
    assert not set(draw_sentences(200, "test", seed=0)[0]) & set(sentences)


def test_sentence_batches_depend_on_seed_and_number_alone():
    recipe = recipes.Words(steps=1, batch_size=4, sentences=60)
    preprocessor = kind_of(recipe).start(recipe, Options()).preprocessor
    first = list(sentence_batches(recipe, preprocessor, 0, 0).take(3))
    later = next(iter(sentence_batches(recipe, preprocessor, 0, 2)))
    assert (
        sentence_batches(recipe, preprocessor, 0, 0).element_spec[1]["intent_logits"].shape[0] == 4
    )
    np.testing.assert_array_equal(first[2][0]["token_ids"], later[0]["token_ids"])
    np.testing.assert_array_equal(first[2][1]["intent_logits"], later[1]["intent_logits"])
    assert first[0][0]["token_ids"].shape[1] % 8 == 0


def test_a_fresh_head_is_another_on_the_same_features(preset):
    recipe = recipes.Diagnosis(steps=1, fresh=True)
    kept = kind_of(recipe).start(
        dataclasses.replace(recipe, fresh=False), Options(init=str(preset))
    )
    fresh = kind_of(recipe).start(recipe, Options(init=str(preset)))
    image = tiny.picture()[None]
    given = {"image": image, "mask": np.ones_like(image[..., :1]), "embedding": np.zeros((1, 10))}
    before, after = (task.backbone.image_network(given) for task in (kept, fresh))
    np.testing.assert_array_equal(after["image"], before["image"])
    assert not np.allclose(after["logits"], before["logits"])


def test_the_recipe_of_a_diagnosis_learns_the_statistics_that_a_restorer_keeps():
    task, recipe = tiny.restorer(), recipes.Diagnosis(steps=1)
    layer = task.backbone.image_network.get_layer("classifier_standardised")
    assert not layer.trainable
    network = kind_of(recipe).trained(recipe, task)
    assert network.get_layer("classifier_standardised").trainable


@pytest.mark.parametrize("name", ["restorer_small_careful", "diagnosis_detail", "diagnosis_camera"])
def test_what_a_recipe_says_of_its_pictures_arrives(name):
    recipe = recipes.RECIPES[name]
    mixture = recipe.mixture()
    shared = {field.name for field in dataclasses.fields(recipe)} & {
        field.name for field in dataclasses.fields(mixture)
    }
    assert {"lights", "weights"} <= shared
    for field in shared:
        assert getattr(mixture, field) == getattr(recipe, field)
