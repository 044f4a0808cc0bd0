"""The evaluation: what is asked, what is compared, and what is printed."""

import itertools
import json
import re

import keras_hub
import numpy as np
import pytest
from PIL import Image

from tfimg import commands
from tfimg.degradations import INTENTS, NAMES, parse_protocol
from tfimg.metrics import luma, psnr, ssim
from tfimg.network import TextGuidedBackbone
from tfimg.pixels import to_float
from tfimg.tasks.image_restorer import ImageRestorer
from tfimg.tasks.preprocessor import InstructionPreprocessor
from tfimg.text.remedies import REMEDIES
from training import measuring, reading
from training.evaluate import main, pictures
from training.requests import KINDS, LANGUAGES, Request, requests_for

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "remove", "the", "rain", "noise", "雨"]


def build_restorer():
    tokenizer = keras_hub.tokenizers.BertTokenizer(vocabulary=TOKENS, lowercase=True)
    bert = keras_hub.models.BertBackbone(
        vocabulary_size=len(TOKENS),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=64,
    )
    backbone = TextGuidedBackbone(bert, (4, 8), (0, 1), (1,), embedding_dim=4)
    return ImageRestorer(backbone, InstructionPreprocessor(tokenizer, sequence_length=64))


@pytest.fixture(scope="module")
def restorer():
    return build_restorer()


@pytest.fixture(scope="module")
def preset(restorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset")
    restorer.save_to_preset(str(folder))
    return str(folder)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three photos of 30x34 pixels, in name order "a", "b", "c"."""
    folder = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[:30, :34] / 34
    for shift, name in enumerate("cab"):
        waves = 0.5 + 0.4 * np.sin(5 * x + 3 * y + shift)
        photo = np.stack([x, y, waves], -1)
        Image.fromarray((255 * photo).astype("uint8")).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def oracle(restorer, monkeypatch):
    """Makes the restorer return what a function of its arguments says."""

    def install(function):
        monkeypatch.setattr(restorer, "restore", function)
        return restorer

    return install


def clean(path):
    return to_float(np.asarray(Image.open(path)))


def measured(restorer, protocol, files, requests):
    return measuring.measure(restorer, measuring.degraded_cases(protocol, files), requests)


# What is asked


def test_right_words_name_everything_and_wrong_words_something_absent():
    for names in itertools.chain(
        itertools.combinations(NAMES, 1), itertools.combinations(NAMES, 2)
    ):
        found = requests_for(frozenset(names), KINDS, LANGUAGES)
        for one in found:
            if one.kind == "right":
                assert one.named == set(names)
                assert all(REMEDIES[one.language][name] in one.instruction for name in names)
            if one.kind == "wrong":
                assert len(one.named) == 1 and not one.named & set(names)
        partial = [(one.language, *one.named) for one in found if one.kind == "partial"]
        expected = itertools.product(LANGUAGES, names if len(names) > 1 else ())
        assert sorted(partial) == sorted(expected)
        assert [one.instruction for one in found if one.kind == "none"] == [None, None]


def test_of_a_clean_picture_all_that_is_wrong_to_ask_is_asked():
    found = requests_for(frozenset(), KINDS, ["en"])
    wrong = [one for one in found if one.kind == "wrong"]
    assert sorted(name for one in wrong for name in one.named) == sorted(NAMES)
    assert [one.kind for one in found if one not in wrong] == ["vague", "none", "none", "nothing"]


def test_every_degradation_has_a_sentence_of_its_own():
    for language in LANGUAGES:
        assert tuple(REMEDIES[language]) == NAMES
        assert len(set(REMEDIES[language].values())) == len(NAMES)


def test_mask_adds_a_row_for_damage_only():
    with_mask = requests_for(frozenset({"damage", "rain"}), ["right"], ["en"], mask=True)
    assert [one.mask for one in with_mask] == [False, True]
    assert len(requests_for(frozenset({"rain"}), ["right"], ["en"], mask=True)) == 1


# What is compared


def test_noise_goes_in_unclipped_and_the_output_is_compared_with_the_clean_photo(oracle, photos):
    fed = []
    restorer = oracle(lambda image, *_, **__: fed.append(image) or 0.5 * image)
    protocol, files = parse_protocol("noise:25"), pictures(photos)
    (row,) = measured(restorer, protocol, files, [Request("right", "en", "remove the noise")]).rows
    degraded = [protocol.apply(clean(path), index) for index, path in enumerate(files)]
    np.testing.assert_array_equal(fed, degraded)
    assert np.min(fed) < 0 and np.max(fed) > 1
    outputs = [np.clip(0.5 * image, 0, 1) for image in degraded]
    targets = [clean(path) for path in files]
    assert row["count"] == 3 and row["instruction"] == "remove the noise"
    for name, images in (("psnr", outputs), ("input_psnr", np.clip(degraded, 0, 1))):
        assert row[name] == pytest.approx(np.mean(list(map(psnr, images, targets))), abs=1e-4)
    for name, images in (("ssim", outputs), ("input_ssim", np.clip(degraded, 0, 1))):
        assert row[name] == pytest.approx(np.mean(list(map(ssim, images, targets))), abs=1e-4)


def test_the_picture_that_gains_least_is_told(oracle, photos):
    protocol, files = parse_protocol("noise:25"), pictures(photos)
    spoilt = 1
    outputs = iter(
        protocol.apply(clean(path), index) ** 3 if index == spoilt else clean(path)
        for index, path in enumerate(files)
    )
    restorer = oracle(lambda *_, **__: next(outputs))
    (row,) = measured(restorer, protocol, files, [Request("right", "en", "denoise")]).rows
    image, target = protocol.apply(clean(files[spoilt]), spoilt), clean(files[spoilt])
    lost = psnr(np.clip(image**3, 0, 1), target) - psnr(np.clip(image, 0, 1), target)
    assert lost < -1
    assert row["least_gain"] == pytest.approx(lost, abs=1e-4)
    assert row["psnr"] > row["input_psnr"], "the mean hides it"


def test_low_resolution_crops_to_a_multiple_and_adds_shaved_luma(oracle, photos):
    restorer = oracle(lambda image, *_, **__: image)
    files = pictures(photos)[:1]
    protocol, requests = parse_protocol("low_resolution:4"), [Request("right", "en", "upscale")]
    (row,) = measured(restorer, protocol, files, requests).rows
    target = clean(files[0])[:28, :32]
    image = protocol.apply(target, 0)
    assert row["psnr"] == pytest.approx(psnr(np.clip(image, 0, 1), target), abs=1e-4)
    inner = psnr(luma(np.clip(image, 0, 1))[4:-4, 4:-4], luma(target)[4:-4, 4:-4])
    assert row["input_psnr_luma"] == pytest.approx(inner, abs=1e-4)


@pytest.mark.parametrize("obeys", [True, False])
def test_partial_tells_which_of_two_pictures_the_output_is_nearer_to(oracle, photos, obeys):
    protocol, files = parse_protocol("rain+noise:25"), pictures(photos)
    outputs = iter(
        protocol.apply(clean(path), index, without={"rain"}) if obeys else clean(path)
        for index, path in enumerate(files)
    )
    restorer = oracle(lambda *_, **__: next(outputs))
    request = Request("partial", "en", "remove the rain", frozenset({"rain"}))
    (row,) = measured(restorer, protocol, files, [request]).rows
    assert row["nearer_to_named"] == float(obeys)
    assert (row["psnr_to_named"] == 100) == obeys
    assert (row["psnr"] == 100) == (not obeys)
    assert 10 < row["input_psnr_to_named"] < 50


def test_nothing_asked_is_compared_with_the_input(oracle, photos):
    restorer = oracle(lambda image, *_, **__: image)
    requests = requests_for(frozenset({"haze"}), ["nothing"], ["zh"])
    (row,) = measured(restorer, parse_protocol("haze"), pictures(photos), requests).rows
    assert row["psnr_to_input"] == 100
    assert row["psnr"] == row["input_psnr"] < 60


def test_no_words_do_what_the_restorer_does_by_itself(restorer, photos, capsys, monkeypatch):
    # A random residual branch, so that an output differs from its input.
    head = restorer.backbone.image_network
    before = head.get_weights()
    rng = np.random.default_rng(0)
    head.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in before])
    files = pictures(photos)
    (row,) = measured(restorer, parse_protocol("rain"), files, [Request("none")]).rows
    assert capsys.readouterr().out == ""
    outputs, said = [], []
    for index, path in enumerate(files):
        lines = []
        rainy = parse_protocol("rain").apply(clean(path), index)
        outputs.append(restorer.restore(rainy, say=lines.append))
        # What a later pass finds is no part of the picture's diagnosis.
        said += re.findall(r"(\w+) \d+ %", lines[0]) if "doing" in lines[0] else []
    head.set_weights(before)
    scores = [psnr(out, clean(path)) for out, path in zip(outputs, files, strict=True)]
    assert row["psnr"] == pytest.approx(np.mean(scores), abs=1e-3)
    for name in NAMES:
        assert row["found"].get(name, 0) == pytest.approx(said.count(name) / 3, abs=1e-3)


def test_diagnosis_counts_only_exact_ones(oracle, photos, monkeypatch):
    finds = iter([{"rain"}, {"rain", "noise"}, set()])

    def classify(self, image):
        found = next(finds)
        return {name: 0.9 if name in found else 0.1 for name in INTENTS}

    monkeypatch.setattr(measuring.ImageClassifier, "classify", classify)
    asked = []
    restorer = oracle(lambda image, words, **__: asked.append(words) or image)
    (row,) = measured(restorer, parse_protocol("rain"), pictures(photos), [Request("none")]).rows
    assert row["diagnosed"] == pytest.approx(1 / 3, abs=1e-4)
    assert row["found"] == pytest.approx({"rain": 2 / 3, "noise": 1 / 3}, abs=1e-4)
    assert asked == [None] * 3


def test_each_number_of_passes_is_a_row(oracle, photos):
    asked = requests_for(frozenset({"rain"}), ["none"], ["en"], passes=3)
    assert [request.passes for request in asked] == [1, 2, 3]
    restorer = oracle(lambda image, words, passes, **__: np.clip(image + passes / 10, 0, 1))
    rows = measured(restorer, parse_protocol("rain"), pictures(photos)[:1], asked).rows
    assert [row["passes"] for row in rows] == [1, 2, 3]
    assert len({row["psnr"] for row in rows}) == 3


def test_the_mask_goes_in_with_the_request_that_has_one(oracle, photos):
    masks = []
    restorer = oracle(lambda image, words, mask, **__: masks.append(mask) or image)
    files = pictures(photos)[:1]
    requests = requests_for(frozenset({"damage"}), ["right"], ["en"], mask=True)
    measured(restorer, parse_protocol("damage"), files, requests)
    _, known = parse_protocol("damage").apply_with_mask(clean(files[0]), 0)
    assert masks[0] is None
    np.testing.assert_array_equal(masks[1], known)


# Which pictures


def test_pictures_are_sorted_listed_and_limited(photos, tmp_path):
    assert [path.stem for path in pictures(photos)] == ["a", "b", "c"]
    assert [path.stem for path in pictures(photos, limit=2)] == ["a", "b"]
    ids = tmp_path / "ids.txt"
    ids.write_text("c\n\na\n")
    assert [path.stem for path in pictures(photos, str(ids))] == ["a", "c"]
    ids.write_text("c\nz\n")
    with pytest.raises(ValueError, match="lists z, not found"):
        pictures(photos, str(ids))


# Sentences


class Reader:
    """Says of a text the names that it contains, with probability 0.6; the first one 0.9."""

    def interpret(self, sentences):
        found = [[name for name in INTENTS if name in text.split()] for text in sentences]
        return [
            {name: 0.9 if name in names[:1] else 0.6 if name in names else 0.1 for name in INTENTS}
            for names in found
        ]


def test_accuracy_by_top_one_or_exact_set(tmp_path):
    rows = [
        ("noise", "en", ["noise"]),
        ("noise blur", "en", ["noise"]),  # the likeliest is right, though blur is likely too
        ("noise blur", "en", ["blur"]),
        ("noise rain", "en", ["rain", "noise"]),
        ("noise rain haze", "en", ["noise", "rain"]),
        ("none", "zh", []),
        ("none", "zh", ["none"]),
        ("rain", "zh", []),
        ("better", "zh", None),
        ("haze", "zh", None),
    ]
    file = tmp_path / "rows.jsonl"
    keys = ("text", "language", "named")
    lines = (json.dumps(dict(zip(keys, row, strict=True))) for row in rows)
    file.write_text("\n".join(lines))
    report = reading.accuracy(Reader(), reading.read_sentences(str(file)))
    found = {
        (row["language"], row["kind"]): (row["count"], row["accuracy"], row["exact"])
        for row in report["rows"]
    }
    assert found == {
        ("en", "single"): (3, 0.6667, 0.3333),
        ("en", "several"): (2, 0.5, 0.5),
        ("zh", "none"): (3, 0.6667, 0.6667),
        ("zh", "vague"): (2, 0.5, 0.5),
    }
    assert [mistake["found"] for mistake in report["mistakes"]] == [
        ["noise"],
        ["noise", "rain", "haze"],
        ["rain"],
        ["haze"],
    ]


def test_held_out_sentences_are_the_same_each_time():
    rows = reading.read_sentences("held-out")
    assert rows == reading.read_sentences("held-out")
    for language in LANGUAGES:
        own = [row for row in rows if row["language"] == language]
        assert len(own) == 532 and sum(row["named"] is None for row in own) == 32
        assert {frozenset({name}) for name in NAMES} <= {row["named"] for row in own}


@pytest.mark.parametrize(
    "line", ["no json", "[1]", '{"text": "a", "language": "en"}',
             '{"text": " ", "language": "en", "named": []}',
             '{"text": "a", "language": "en", "named": "noise"}',
             '{"text": "a", "language": "en", "named": ["snow"]}'],
)  # fmt: skip
def test_bad_sentences_are_refused_with_their_line(tmp_path, line):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "a", "language": "en", "named": []}\n' + line)
    with pytest.raises(ValueError, match=r"rows\.jsonl:2: .*expected"):
        reading.read_sentences(str(file))


# The command


def test_json_and_sheets_of_a_preset(preset, photos, tmp_path, capsys):
    argv = ["--preset", preset, "--data", str(photos), "--degradation", "noise:25", "rain+haze"]
    argv += ["--instruction-kind", "right", "partial", "none", "--json", "--limit", "2"]
    argv += ["--interpret", str(tmp_path / "rows.jsonl"), "--out", str(tmp_path / "sheets")]
    (tmp_path / "rows.jsonl").write_text('{"text": "雨", "language": "zh", "named": ["rain"]}')
    assert main(argv) == 0
    document = json.loads(capsys.readouterr().out)
    rows = [(row["degradation"], row["kind"], row["language"]) for row in document["rows"]]
    assert rows == [
        ("noise:25", "right", "en"),
        ("noise:25", "right", "zh"),
        *[("noise:25", "none", None)] * 2,
        ("rain+haze", "right", "en"),
        ("rain+haze", "right", "zh"),
        *[("rain+haze", "none", None)] * 2,
        *[("rain+haze", "partial", language) for language in ("en", "en", "zh", "zh")],
    ]
    # An untrained network returns its input.
    first = document["rows"][0]
    assert first["count"] == 2 and 18 < first["input_psnr"] == first["psnr"] < 25
    assert [row["count"] for row in document["interpret"]["rows"]] == [1]
    for name in ("noise-25", "rain+haze"):
        assert Image.open(tmp_path / "sheets" / f"{name}.png").width > 3 * 384


def test_pairs_and_table(preset, photos, tmp_path, capsys):
    for name in "abc":
        dark = (0.5 * np.asarray(Image.open(photos / f"{name}.png"))).astype("uint8")
        Image.fromarray(dark).save(tmp_path / f"{name}.png")
    argv = ["--preset", preset, "--inputs", str(tmp_path), "--targets", str(photos)]
    assert main([*argv, "--instruction", "太暗了", "[remove] the rain"]) == 0
    printed = capsys.readouterr().out
    assert "3 pictures" in printed and "太暗了" in printed and "[remove]" in printed
    assert main([*argv, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    halved = [psnr(clean(tmp_path / f"{n}.png"), clean(photos / f"{n}.png")) for n in "abc"]
    assert row["kind"] == "none" and "diagnosed" not in row
    assert row["input_psnr"] == pytest.approx(np.mean(halved), abs=1e-3)


@pytest.mark.parametrize(
    "more",
    [
        ["--degradation", "noise:25", "--instruction-kind", "none", "--data"],
        ["--degradation", "noise:25", "--instruction-kind", "vague", "--data"],
        ["--diagnose"],
    ],
)
def test_classes_of_ones_own_are_not_asked_for_a_diagnosis(
    preset, restorer, photos, tmp_path, capsys, monkeypatch, more
):
    backbone = restorer.backbone.with_labels(["apple", "pear"])
    mine = ImageRestorer(backbone, restorer.preprocessor)
    monkeypatch.setattr(mine, "plan", lambda words: None)
    monkeypatch.setattr(commands, "load", lambda task, name: mine)
    assert main(["--preset", preset, *more, str(photos)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert f"preset {preset!r} has classes of its own" in captured.err


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"--preset": "no-such-preset"}, "unknown preset 'no-such-preset'"),
        ({"--degradation": "snow"}, "unknown protocol 'snow'"),
        ({"--degradation": "noise:x"}, "unknown protocol 'noise:x'"),
        ({"--data": "no/such/folder"}, "no such folder"),
        ({"--data": "EMPTY"}, "holds no pictures"),
        ({"--list": "no-such-list.txt"}, "no such file"),
        ({"--interpret": "no-such-file.jsonl"}, "no such file"),
        ({"--instruction-kind": "partial"}, "'noise:25' has no words of kind partial"),
        ({"--instruction-kind": "kind"}, "invalid choice: 'kind'"),
        ({"--limit": "0"}, "expected 1 or more"),
        ({"--inputs": "a"}, "expected --data or --inputs, found both"),
        ({"--degradation": None}, "belong together"),
        ({"--data": None, "--degradation": None}, "nothing to measure"),
        ({"--instruction": "remove the rain"}, "--instruction is for --inputs"),
    ],
)
def test_bad_arguments_end_with_one_line_and_status_2(
    preset, photos, tmp_path, capsys, change, reason
):
    arguments = {"--preset": preset, "--data": str(photos), "--degradation": "noise:25", **change}
    if arguments["--data"] == "EMPTY":
        arguments["--data"] = str(tmp_path)
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        status = main(list(itertools.chain(*given.items())))
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ""
    assert len(captured.err.splitlines()) == 1 and reason in captured.err
