"""What the describer is trained on."""

import numpy as np

import tfimg
from tests import tiny
from training import recipes
from training.descriptions import description_batches, draw_descriptions, untrained_describer

RECIPE = recipes.Describing(
    steps=1,
    batch_size=6,
    descriptions=40,
    vocabulary=300,
    layers=1,
    heads=2,
    width=8,
    inner=8,
    length=256,
)


def test_descriptions_come_in_both_languages_and_by_seed():
    drawn = draw_descriptions(40, seed=1)
    assert drawn == draw_descriptions(40, seed=1) != draw_descriptions(40, seed=2)
    assert sum("Chinese" in question for question, _ in drawn) == 20
    assert all(question.endswith(":\n") and answer.count("\n") == 1 for question, answer in drawn)


def test_only_the_answer_and_its_end_count():
    preprocessor = untrained_describer(RECIPE, "float32").causal_lm.preprocessor
    tokenizer = preprocessor.tokenizer
    x, following, counted = next(iter(description_batches(RECIPE, preprocessor, 0, 0)))
    answers = {answer for _, answer in draw_descriptions(RECIPE.descriptions, 0)}
    assert x["token_ids"].shape == (6, following.shape[1]) and following.shape[1] % 16 == 0
    for ids, weights in zip(following.numpy(), counted.numpy(), strict=True):
        *spoken, end = ids[weights > 0]
        assert end == tokenizer.end_token_id
        assert tokenizer.detokenize(np.array(spoken)) in answers
    np.testing.assert_array_equal(x["token_ids"][:, 1:], following[:, :-1])


def test_batches_depend_on_seed_and_number_alone():
    preprocessor = untrained_describer(RECIPE, "float32").causal_lm.preprocessor
    third = list(description_batches(RECIPE, preprocessor, 0, 0).take(3))[2]
    again = next(iter(description_batches(RECIPE, preprocessor, 0, 2)))
    for one, other in zip(third[1:], again[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_untrained_describer_is_saved_and_comes_back(tmp_path):
    describer = untrained_describer(RECIPE, "float32")
    tiny.perturb(describer.causal_lm)
    describer.save_to_preset(str(tmp_path / "preset"))
    loaded = tfimg.Describer.from_preset(str(tmp_path / "preset"))
    found = {"noise": 0.9, "haze": 0.8}
    assert loaded.describe(found, language="zh") == describer.describe(found, language="zh")
