"""Restoring: any size and kind of picture, in and out the same, and bad input refused by name."""

import tracemalloc
import warnings

import keras
import numpy as np
import pytest

import tfimg
from tests import tiny
from tfimg.degradations import INTENTS, NAMES
from tfimg.losses import RestorationLoss
from tfimg.machine import choose_jit
from tfimg.tasks.describer import Description
from tfimg.tasks.image_classifier import Diagnosis
from tfimg.text.remedies import REMEDIES, first, prescribe, remedy, settled
from tfimg.text.steps import Step

WORDS = "remove the noise"
_DETAIL = {"blur", "compression", "low_resolution"}


def _picture(dtype, height=9, width=14):
    image = tiny.picture(height, width)
    if np.issubdtype(dtype, np.integer):
        return (image * np.iinfo(dtype).max).astype(dtype)
    return image.astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
def test_before_training_the_picture_comes_back_exactly(untrained, dtype):
    image = _picture(dtype)
    out = untrained.restore(image, WORDS)
    assert out.dtype == dtype and out is not image
    np.testing.assert_allclose(out, image, rtol=0, atol=1e-7 if dtype == np.float64 else 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_dtype_is_restored_alike(restorer, dtype):
    image = _picture(dtype)
    peak = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    out = restorer.restore(image, WORDS)
    assert out.dtype == dtype and out.shape == image.shape
    expected = restorer.restore((image / peak).astype(np.float32), WORDS)
    assert np.abs(expected - image / peak).max() > 0.05, "nothing was restored"
    np.testing.assert_allclose(out / peak, expected, atol=0.51 / peak + 1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (5, 6), (3, 5000)])
def test_any_size_comes_back_in_its_own(restorer, size):
    out = restorer.restore(_picture(np.uint8, *size), WORDS)
    assert out.shape == (*size, 3)


def test_a_batch_is_its_pictures_one_by_one(restorer):
    batch = np.stack([tiny.picture(6, 7, seed) for seed in range(3)])
    expected = np.stack([restorer.restore(image, WORDS) for image in batch])
    np.testing.assert_array_equal(restorer.restore(batch, WORDS), expected)


def test_the_words_change_the_result(restorer):
    image = tiny.picture()
    noise, haze = (restorer.restore(image, words) for words in (WORDS, "haze 点"))
    assert np.abs(noise - haze).max() > 1e-3


def test_strength_fades_from_the_input_to_the_result(restorer):
    image = tiny.picture()
    full = restorer.restore(image, WORDS, strength=1)
    np.testing.assert_array_equal(restorer.restore(image, WORDS, strength=0), image)
    half, inner = restorer.restore(image, WORDS, strength=0.5), (full > 0) & (full < 1)
    assert inner.mean() > 0.2, "what is clipped says nothing"
    np.testing.assert_allclose(half[inner], ((image + full) / 2)[inner], atol=1e-6)


@pytest.mark.filterwarnings("ignore:a mask is given")
@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 1)])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_unknown_pixels_have_no_influence(restorer, shape, dtype):
    image, mask = _picture(np.float32), np.ones((9, 14), dtype)
    mask[2:5, 3:9] = 0
    other = np.where(mask[..., None] == 0, 1 - image, image)
    mask = mask.reshape(shape)
    out = restorer.restore(image, WORDS, mask=mask)
    np.testing.assert_array_equal(restorer.restore(other, WORDS, mask=mask), out)
    assert np.abs(restorer.restore(image, WORDS) - out).max() > 0.01


def test_a_full_mask_is_no_mask(restorer):
    image = tiny.picture()
    np.testing.assert_array_equal(
        restorer.restore(image, WORDS, mask=np.ones((16, 24))), restorer.restore(image, WORDS)
    )


@pytest.fixture
def holes():
    """A mask with a hole in it."""
    mask = np.ones((16, 24), bool)
    mask[4:9, 5:15] = False
    return mask


@pytest.fixture
def understood(restorer, monkeypatch):
    """Makes the restorer understand "scratches" as damage and all else as noise."""

    def interpret(words):
        return [_found(**{"damage" if "scratches" in one else "noise": 0.9}) for one in words]

    monkeypatch.setattr(restorer, "interpret", interpret)


def test_a_mask_belongs_to_the_step_that_repairs(restorer, understood, holes):
    image, repair = tiny.picture(), "remove scratches"
    out = restorer.restore(image, f"make it bright, then {repair}, then remove haze", mask=holes)
    bright = restorer.restore(image, "make it bright")
    repaired = restorer.restore(bright, repair, mask=holes)
    assert np.abs(repaired - restorer.restore(bright, repair)).max() > 0.01
    np.testing.assert_array_equal(out, restorer.restore(repaired, "remove haze"))


def test_a_mask_that_no_words_ask_for_is_told_and_goes_to_the_first_step(
    restorer, understood, holes
):
    image = tiny.picture()
    with pytest.warns(UserWarning, match="a mask is given.*repair the scratches") as told:
        out = restorer.restore(image, "make it bright, then remove haze", mask=holes)
        first = restorer.restore(image, "make it bright", mask=holes)
    files = [one.filename for one in told if "a mask is given" in str(one.message)]
    assert files == [__file__] * 2
    np.testing.assert_array_equal(out, restorer.restore(first, "remove haze"))


def test_a_mask_tells_of_damage_in_the_first_pass_alone(restorer, understood, finding, holes):
    finding({"none": 0.9}, {"haze": 0.8}, {"none": 0.9})
    image, said = tiny.picture(), []
    out = restorer.restore(image, mask=holes, passes=3, say=said.append)
    expected = restorer.restore(image, "repair the scratches", mask=holes, insist=True)
    np.testing.assert_array_equal(out, restorer.restore(expected, "remove the haze", insist=True))
    assert [line.split()[1] for line in said] == ["damage", "haze"]


def test_one_mask_serves_a_batch(restorer, understood, holes):
    batch = np.stack([tiny.picture(seed=seed) for seed in range(2)])
    out = restorer.restore(batch, "remove scratches", mask=holes)
    for image, found in zip(batch, out, strict=True):
        expected = restorer.restore(image, "remove scratches", mask=holes)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "value,error,pattern",
    [
        (np.full((4, 4, 3), np.nan, np.float32), ValueError, "NaN"),
        (np.full((4, 4, 3), np.inf, np.float32), ValueError, "infinity"),
        (np.full((4, 4, 3), 200.0, np.float32), ValueError, "200"),
        (np.zeros((4, 4, 3), np.int64), TypeError, "int64"),
        (np.zeros((4, 4, 3), bool), TypeError, "bool"),
        (np.zeros((4, 4), np.uint8), ValueError, r"\(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, r"\(4, 4, 4\)"),
        (np.zeros((1, 1, 4, 4, 3), np.uint8), ValueError, r"\(1, 1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, r"\(0, 4, 3\)"),
        ([["no", "picture"]], TypeError, "dtype"),
    ],
)
def test_what_is_no_picture_is_refused(restorer, value, error, pattern):
    with pytest.raises(error, match=pattern) as refusal:
        restorer.restore(value, WORDS)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("strength", [7, -0.1, float("nan")])
def test_a_strength_outside_its_range_is_named(restorer, strength):
    with pytest.raises(ValueError, match=f"strength is {strength:g}; expected 0..1"):
        restorer.restore(tiny.picture(), WORDS, strength=strength)


@pytest.mark.parametrize("words", ["", "  ", "\n\t"])
def test_empty_words_are_refused(restorer, words):
    with pytest.raises(ValueError, match="instruction is empty"):
        restorer.restore(tiny.picture(), words)


@pytest.mark.parametrize("words", [3, b"remove", ["remove the noise"]])
def test_words_that_are_no_string_are_refused(restorer, words):
    with pytest.raises(TypeError, match=type(words).__name__):
        restorer.restore(tiny.picture(), words)


@pytest.mark.parametrize(
    "mask,pattern",
    [(np.ones((4, 4)), r"\(4, 4\)"), (np.full((16, 24), 255), "255"), (np.ones(3), r"\(3,\)")],
)
def test_a_wrong_mask_is_refused(restorer, mask, pattern):
    with pytest.raises(ValueError, match=pattern):
        restorer.restore(tiny.picture(), WORDS, mask=mask)


def test_over_long_words_are_cut_with_a_warning(restorer):
    image = tiny.picture(4, 4)
    with pytest.warns(UserWarning, match=rf"42 tokens and is cut after {tiny.LENGTH}"):
        restorer.restore(image, "noise " * 40)


@pytest.mark.parametrize("words", ["🌧️🌧️", "去掉 the noise", "Ünïcödé", "\u202eevomer\x00", "去"])
def test_odd_words_are_fine(restorer, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert restorer.restore(tiny.picture(4, 4), words).shape == (4, 4, 3)


def test_words_are_read_once(restorer, monkeypatch):
    read = []
    tokenize = restorer.preprocessor.tokenize
    monkeypatch.setattr(
        restorer.preprocessor, "tokenize", lambda words: read.append(words) or tokenize(words)
    )
    words = "words that no other test has"
    for _ in range(3):
        restorer.restore(tiny.picture(4, 4), words)
    assert read == [[words]]


def test_words_are_read_anew_after_training_and_loading(tmp_path):
    restorer = tiny.perturb(tiny.restorer())
    weights = tmp_path / "before.weights.h5"
    restorer.save_weights(weights)
    before = restorer.interpret([WORDS])
    restorer.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse", metrics=[])
    inputs = {"image": tiny.picture()[None], "instruction": np.array([WORDS])}
    restorer.fit(inputs, 1 - inputs["image"], verbose=0)
    after = restorer.interpret([WORDS])
    assert max(abs(after[0][name] - before[0][name]) for name in INTENTS) > 1e-3
    fresh = tfimg.ImageRestorer(restorer.backbone, restorer.preprocessor)
    assert fresh.interpret([WORDS]) == after
    restorer.load_weights(weights)
    assert restorer.interpret([WORDS]) == before


def test_interpret_gives_ten_probabilities_a_sentence(restorer):
    found = restorer.interpret(["remove the noise", "去掉噪点"])
    assert [tuple(row) for row in found] == [INTENTS, INTENTS]
    assert all(0 <= value <= 1 for row in found for value in row.values())
    assert restorer.interpret([]) == []


def test_interpret_refuses_one_string_and_empty_ones(restorer):
    with pytest.raises(TypeError, match="list of sentences"):
        restorer.interpret("remove the noise")
    with pytest.raises(ValueError, match="empty"):
        restorer.interpret(["remove the noise", ""])


def _found(**found):
    return {**dict.fromkeys(INTENTS, 0.1), **found}


def test_a_diagnosis_becomes_an_instruction():
    assert set(REMEDIES["en"]) == set(REMEDIES["zh"]) == set(NAMES)
    assert prescribe(_found()) is None
    assert prescribe(_found(none=0.9)) is None
    assert prescribe(_found(rain=0.9)) == "remove the rain"
    assert prescribe(_found(rain=0.9, noise=0.6)) == "remove the noise and remove the rain"
    assert remedy({"rain", "noise"}, "zh") == "去掉噪点，去掉雨丝"
    with pytest.raises(ValueError, match="snow"):
        remedy({"snow"})


@pytest.fixture
def finding(monkeypatch):
    """Makes the next diagnoses find what is given, one dict after the other."""

    def find(*found):
        left = iter(found)
        monkeypatch.setattr(
            "tfimg.tasks.image_restorer.ImageClassifier.diagnose",
            lambda *_: Diagnosis(_found(**next(left)), dict.fromkeys(NAMES, 0.5)),
        )

    return find


@pytest.fixture
def meaning(restorer, monkeypatch):
    """Makes every sentence ask for what is given."""

    def mean(**asked):
        asked = _found(**asked)
        monkeypatch.setattr(restorer, "interpret", lambda words: [asked] * len(words))
        monkeypatch.setattr(restorer, "embed", lambda _: np.array([*asked.values()], np.float32))

    return mean


def test_what_a_picture_does_not_have_is_not_undone(restorer, meaning, finding):
    image, said = tiny.picture(), []
    meaning(haze=0.9)
    finding({"haze": 0.001}, {"haze": 0.06}, {"haze": 0.001})
    out = restorer.restore(image, WORDS, say=said.append)
    np.testing.assert_array_equal(out, image)
    assert out is not image
    assert said == ["found hardly any of this: haze 0 %; left as it is, unless you insist"]
    undone = restorer.restore(image, WORDS, say=said.append)
    assert np.abs(undone - image).max() > 0.01 and len(said) == 1, "it may be there"
    insisted = restorer.restore(image, WORDS, insist=True, say=said.append)
    np.testing.assert_array_equal(insisted, undone)
    np.testing.assert_array_equal(restorer.restore(image, "slightly " + WORDS, say=list), image)


def test_the_rest_of_a_request_is_done(restorer, meaning, finding):
    image, said = tiny.picture(), []
    meaning(haze=0.9, noise=0.8)
    finding({"haze": 0.001, "noise": 0.0})
    out = restorer.restore(image, WORDS, say=said.append)
    assert said == ["found hardly any of this: haze 0 %; the rest is done, unless you insist"]
    meaning(haze=0.0, noise=0.8)
    np.testing.assert_array_equal(out, restorer.restore(image, WORDS))


def test_each_step_of_a_request_is_looked_at(restorer, finding, monkeypatch):
    image = tiny.picture()
    intents = {"remove noise": _found(noise=0.9), "haze": _found(haze=0.9)}
    monkeypatch.setattr(restorer, "plan", lambda _: [Step(words) for words in intents])
    monkeypatch.setattr(
        restorer, "embed", lambda words: np.array([*intents[words].values()], np.float32)
    )
    finding({"haze": 0.001})
    out = restorer.restore(image, "remove noise, then haze", say=list)
    monkeypatch.setattr(restorer, "plan", lambda _: [Step("remove noise")])
    np.testing.assert_array_equal(out, restorer.restore(image, "remove noise"))


def test_fine_things_of_a_large_picture_may_be_there_unseen(restorer, meaning, finding):
    small, wide = tiny.picture(8, 8), tiny.picture(8, 520)
    for name, large_too in (("damage", False), ("rain", False), ("haze", True)):
        meaning(**{name: 0.9})
        finding(*[{name: 0.0}] * (1 + large_too))  # it does not look where that would be in vain
        np.testing.assert_array_equal(restorer.restore(small, WORDS, say=list), small)
        assert (restorer.restore(wide, WORDS, say=list) == wide).all() == large_too


def test_where_a_mask_is_given_there_is_damage(restorer, meaning, finding):
    image, mask = tiny.picture(8, 8), np.ones((8, 8))
    mask[2:4] = 0
    for name, looks in (("damage", 0), ("haze", 1)):
        meaning(**{name: 0.9})
        finding(*[{name: 0.0}] * looks)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # haze is no damage
            out = restorer.restore(image, WORDS, mask=mask, say=list)
        assert np.abs(out - image).max() > 0.01


def test_other_embeddings_are_done_as_they_say(finding):
    restorer = tiny.perturb(tiny.restorer(embedding_dim=6))
    finding(dict.fromkeys(INTENTS, 0.0))
    image = tiny.picture()
    out = restorer.restore(image, WORDS, say=list)
    np.testing.assert_array_equal(out, restorer.restore(image, WORDS, insist=True))
    assert np.abs(out - image).max() > 0.01


@pytest.mark.parametrize("noise", [0.9, 0.1])
def test_without_words_it_says_what_it_does(restorer, finding, capsys, noise):
    finding({"noise": noise}, {"none": 0.9})
    image = tiny.picture()
    out, said = restorer.restore(image), capsys.readouterr().out
    if noise > 0.5:
        assert said == 'found noise 90 %; doing "remove the noise"\n'
        np.testing.assert_array_equal(out, restorer.restore(image, "remove the noise", insist=True))
    else:
        assert said == "found nothing to restore (noise 10 %); left as it is\n"
        np.testing.assert_array_equal(out, image)
        assert out is not image


def test_a_vague_wish_may_say_how_strongly(restorer, finding, monkeypatch):
    image = tiny.picture()
    half = restorer.restore(image, "remove the noise", strength=0.5)
    monkeypatch.setattr(restorer, "plan", lambda _: None)
    finding({"noise": 0.9}, {"noise": 0.9}, {"noise": 0.9}, {"noise": 0.9})
    out = restorer.restore(image, "make it slightly better", say=list)
    np.testing.assert_array_equal(out, half)
    assert np.abs(restorer.restore(image, "make it slightly better", 1, say=list) - half).any()


@pytest.mark.parametrize("passes", [1, 2])
def test_a_large_picture_is_never_a_whole_array_of_floats(restorer, finding, monkeypatch, passes):
    finding(*[{"noise": 0.9}] * passes)
    monkeypatch.setattr(restorer, "_steered", lambda image, *_: image.copy())
    image = np.zeros((4000, 500, 3), np.uint8)
    tracemalloc.start()
    try:
        restorer.restore(image, passes=passes, say=list)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * image.nbytes  # as floats it would be four times as large


def test_it_looks_again_until_nothing_is_wrong(restorer, finding):
    finding({"noise": 0.9}, {"haze": 0.8}, {"none": 0.9}, {"rain": 0.9})
    image, said = tiny.picture(), []
    out = restorer.restore(image, passes=4, say=said.append)
    expected = restorer.restore(image, "remove the noise", insist=True)
    np.testing.assert_array_equal(out, restorer.restore(expected, "remove the haze", insist=True))
    assert [line.split()[1] for line in said] == ["noise", "haze"]


def test_what_one_pass_has_undone_the_next_ones_leave_alone(restorer, finding):
    finding(
        {"low_light": 0.9},
        {"low_light": 0.9, "haze": 0.9, "rain": 0.8},
        {"rain": 0.9, "faded": 0.9, "none": 0.2},
    )
    image, said = tiny.picture(), []
    out = restorer.restore(image, passes=4, say=said.append)
    expected = restorer.restore(image, "brighten the picture", insist=True)
    np.testing.assert_array_equal(out, restorer.restore(expected, "remove the rain", insist=True))
    assert [line.split(";")[-1] for line in said] == [
        ' doing "brighten the picture"',
        ' doing "remove the rain"',
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"none": 0.9}, set()),
        ({"noise": 0.99, "damage": 0.9}, {"noise"}),
        ({"noise": 0.99, "damage": 0.96}, {"noise", "damage"}),
        ({"noise": 0.99, "low_light": 0.8, "rain": 0.65}, {"noise", "low_light"}),
        ({"noise": 0.99, "haze": 0.6}, {"noise", "haze"}),
        ({"noise": 0.99, "haze": 0.6, "faded": 0.65}, {"noise", "faded"}),
        ({"haze": 0.8, "faded": 0.95, "low_light": 0.65, "rain": 0.9}, {"faded", "rain"}),
        ({"low_light": 0.6, "damage": 0.65}, {"damage"}),
        ({"haze": 0.55}, {"haze"}),
    ],
)
def test_what_is_doubtful_comes_after_what_is_likelier(found, expected):
    assert first(_found(**found)) == expected


@pytest.mark.filterwarnings("ignore:the instruction has 9 tokens")
def test_what_is_doubtful_waits_for_the_next_look(restorer, finding):
    image, said = tiny.picture(), []
    finding({"noise": 0.99, "damage": 0.6}, {"none": 0.9})
    out = restorer.restore(image, passes=2, say=said.append)
    noiseless = restorer.restore(image, "remove the noise", insist=True)
    np.testing.assert_array_equal(out, noiseless)
    assert len(said) == 1
    assert said[0].endswith('doing "remove the noise"; will look again for damage 60 %')
    finding({"noise": 0.99, "damage": 0.6}, {"damage": 0.6})
    out = restorer.restore(image, passes=2, say=said.append)
    expected = restorer.restore(noiseless, "repair the scratches", insist=True)
    np.testing.assert_array_equal(out, expected)
    finding({"noise": 0.99, "damage": 0.6})  # there is no next look
    out = restorer.restore(image, passes=1, say=said.append)
    words = "remove the noise and repair the scratches"
    np.testing.assert_array_equal(out, restorer.restore(image, words, insist=True))


def test_what_waits_is_looked_for_though_nothing_changed(untrained, finding):
    said = []
    finding({"noise": 0.99, "damage": 0.6}, {"damage": 0.6})
    untrained.restore(tiny.picture(), passes=3, say=said.append)
    assert [line.split(";")[1] for line in said] == [
        ' doing "remove the noise"',
        ' doing "repair the scratches"',
    ]


@pytest.mark.parametrize(
    ("undone", "waited", "found", "expected"),
    [
        ([], [], {"noise": 0.9}, set()),
        (["noise"], [], {"noise": 0.9}, {"noise"}),
        (["blur", "damage"], ["compression"], {"compression": 1.0}, _DETAIL | {"damage"}),
        (["haze", "rain"], [], {"faded": 1.0}, {"low_light", "faded", "haze", "rain"}),
        (["haze", "rain"], ["faded"], {"faded": 0.6}, {"low_light", "faded", "haze", "rain"}),
        (["haze", "rain"], ["faded"], {"haze": 1.0, "faded": 0.9}, {"low_light", "haze", "rain"}),
    ],
)
def test_what_is_settled_is_what_was_undone_and_what_looks_like_it(undone, waited, found, expected):
    assert settled(undone, waited, _found(**found)) == expected


def test_two_faults_of_the_tone_are_undone_one_after_the_other(restorer, finding):
    image, said = tiny.picture(), []
    brighter = restorer.restore(image, "brighten the picture", insist=True)
    for still_there in (0.9, 0.7):
        finding({"low_light": 0.98, "faded": 0.85}, {"faded": still_there})
        out = restorer.restore(image, passes=2, say=said.append)
        expected = brighter
        if still_there > 0.8:
            expected = restorer.restore(brighter, "restore the faded colours", insist=True)
        np.testing.assert_array_equal(out, expected)
    assert said[0].endswith("; will look again for faded 85 %")


def test_it_stops_when_nothing_changes_any_more(untrained, finding):
    finding({"noise": 0.9})  # asked once more, there would be nothing left to find
    image = tiny.picture()
    np.testing.assert_array_equal(untrained.restore(image, passes=3, say=list), image)


def test_a_describer_tells_and_its_words_are_done(restorer, finding):
    class Describer:
        def describe(self, found, severity, language):
            assert found["noise"] == 0.9 and severity["noise"] == 0.5
            return Description("Grainy.", "make it bright" if language == "en" else "去掉噪点")

    image, said = tiny.picture(), []
    for words in (None, "修"):
        finding({"noise": 0.9}, {"none": 0.9})
        restorer.plan = lambda _: None
        try:
            out = restorer.restore(image, words, describer=Describer(), say=said.append)
        finally:
            del restorer.plan
        meant = "make it bright" if words is None else "去掉噪点"
        expected = restorer.restore(image, meant, insist=True)
        np.testing.assert_array_equal(out, expected)
    assert said == ["Grainy. make it bright (noise 90 %)", "Grainy. 去掉噪点 (noise 90 %)"]


def test_where_a_describer_writes_no_instruction_the_remedy_is_done(restorer, finding):
    class Model:
        def compile(self, **_):
            pass

        def generate(self, questions, **_):
            return ["It is grainy."]

    finding({"noise": 0.9}, {"none": 0.9})
    image, said = tiny.picture(), []
    out = restorer.restore(image, describer=tfimg.Describer(Model()), say=said.append)
    np.testing.assert_array_equal(out, restorer.restore(image, "remove the noise", insist=True))
    assert said == ["It is grainy. remove the noise (noise 90 %)"]


def test_steps_are_done_in_their_order_and_strength(restorer):
    image = tiny.picture()
    out = restorer.restore(image, "remove noise, then slightly haze")
    expected = restorer.restore(image, "remove noise")
    expected = restorer.restore(expected, "slightly haze", strength=0.5)
    np.testing.assert_array_equal(out, expected)
    full = restorer.restore(image, "slightly haze", strength=1)
    half = restorer.restore(image, "slightly haze")
    inner = (full > 0) & (full < 1)
    np.testing.assert_allclose(half[inner], ((image + full) / 2)[inner], atol=1e-6)


def test_a_wish_without_a_meaning_is_no_plan(restorer, monkeypatch):
    sure = {"remove the noise": 0.9, "make it bright": 0.2}
    monkeypatch.setattr(
        restorer, "interpret", lambda words: [_found(noise=sure.get(words[0], 0.7))]
    )
    assert restorer.plan("make it bright") is None
    assert restorer.plan("remove the noise") == [Step("remove the noise")]
    whole = "remove the noise, then make it bright"
    assert restorer.plan(whole) == [Step(whole)], "a part that asks for nothing clear"


@pytest.mark.parametrize("passes", [0, -1])
def test_no_pass_is_refused(restorer, passes):
    with pytest.raises(ValueError, match=f"passes is {passes}"):
        restorer.restore(tiny.picture(), passes=passes)


def test_fit_learns_and_evaluate_agrees():
    restorer = tiny.restorer()
    inputs = {"image": np.stack([tiny.picture(seed=s) for s in range(4)])}
    inputs["instruction"] = np.array([WORDS] * 4)
    targets = 1 - inputs["image"]
    restorer.compile(optimizer=keras.optimizers.SGD(0.02), loss="mse")
    before, decibels = restorer.evaluate(inputs, targets, verbose=0)
    # Untrained, it returns its input.
    errors = np.mean((1 - 2 * inputs["image"]) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(before, np.mean(errors), rtol=1e-4)
    np.testing.assert_allclose(decibels, np.mean(-10 * np.log10(errors)), rtol=1e-4)
    restorer.fit(inputs, targets, epochs=8, batch_size=2, shuffle=False, verbose=0)
    assert restorer.evaluate(inputs, targets, verbose=0)[0] < 0.97 * before


def test_training_leaves_the_diagnosis_as_it_is():
    restorer = tiny.perturb(tiny.restorer())
    bright = {"image": 0.9 + 0.1 * tiny.picture()[None], "instruction": np.array([WORDS])}
    inputs = {
        "image": tiny.picture()[None],
        "mask": np.ones((1, 16, 24, 1), "float32"),
        "embedding": np.zeros((1, restorer.backbone.embedding_width), "float32"),
    }
    network = restorer.backbone.image_network
    before = np.asarray(network(inputs)["logits"])
    restorer(restorer.preprocessor(bright), training=True)  # a step of `fit` whose rate is zero
    np.testing.assert_array_equal(network(inputs)["logits"], before)


def test_compile_has_a_default_for_everything():
    restorer = tiny.restorer()
    restorer.compile()
    assert isinstance(restorer.loss, RestorationLoss)
    assert restorer.jit_compile is choose_jit("auto")
