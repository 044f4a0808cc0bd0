import contextlib
import json
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import tfimg
from tfimg import cli, commands, demo, generation, machine, presets, show
from tfimg.postprocess import match_colours
from tfimg.tasks.describer import Description
from tfimg.tasks.image_classifier import Diagnosis
from tfimg.text.steps import steps as read_steps

NAMES = (
    "noise",
    "blur",
    "compression",
    "low_resolution",
    "low_light",
    "faded",
    "rain",
    "haze",
    "damage",
    "none",
)


class Restorer:
    """Inverts the picture, so that what was done to it is known; remembers how it was asked."""

    calls: list[dict]
    diagnoses = True

    def __init__(self):
        self.calls = []

    def interpret(self, sentences):
        if any(len(sentence) > 200 for sentence in sentences):
            warnings.warn("the instruction is too long and was cut", stacklevel=2)
        named = [
            "low_light" if "dark" in s else "noise" if "noise" in s else "none" for s in sentences
        ]
        return [{name: 0.98 if name == n else 0.02 for name in NAMES} for n in named]

    def plan(self, instruction):
        return None if "better" in instruction else read_steps(instruction)

    def restore(
        self,
        image,
        instruction=None,
        strength=None,
        mask=None,
        passes=1,
        describer=None,
        insist=False,
        match_colour=False,
        progress=None,
        say=print,
    ):
        assert image.dtype in (np.uint8, np.uint16) and image.shape[-1] == 3
        self.calls.append({"instruction": instruction, "strength": strength, "mask": mask})
        self.insisted = insist
        if describer is not None:
            say(f"{describer} found it, {passes} passes")
        if progress is not None:
            progress(1, 2)
        if image.shape[1] == 14:
            raise MemoryError
        if image.shape[1] == 13:
            raise ValueError("thirteen\nis too\nmuch")
        restored = np.iinfo(image.dtype).max - image
        return match_colours(restored, image) if match_colour else restored


class Classifier:
    diagnoses = True

    def diagnose(self, image):
        likely = "noise" if image.mean() < 128 else "none"
        probabilities = {name: np.float32(0.9 if name == likely else 0.05) for name in NAMES}
        return Diagnosis(probabilities, dict.fromkeys(NAMES[:-1], 0.8))


class Describer:
    def __str__(self):
        return "the describer"

    def describe(self, found, severity, language):
        assert severity["noise"] == 0.8
        return Description(max(found, key=found.get), f"in {language}")


def _resolve(name):
    if name not in ("small", "broken"):
        raise ValueError(f"unknown preset {name!r}; bundled: small")


@pytest.fixture
def restorer(monkeypatch):
    made = Restorer()

    def from_preset(name, dtype):
        if name == "broken":
            raise KeyError("config.json holds\nno key 'registered_name'")
        made.dtype = dtype
        return made

    fake = SimpleNamespace(from_preset=from_preset)
    monkeypatch.setattr(tfimg, "ImageRestorer", fake, raising=False)
    fake = SimpleNamespace(from_preset=lambda name, dtype: Classifier())
    monkeypatch.setattr(tfimg, "ImageClassifier", fake, raising=False)
    fake = SimpleNamespace(from_preset=lambda name, dtype: Describer())
    monkeypatch.setattr(tfimg, "Describer", fake, raising=False)
    card = {
        "task": "ImageRestorer",
        "parameters": 180_000,
        "size": 4_200_000,
        "licence": "Apache-2.0",
    }
    presets = SimpleNamespace(
        names=lambda: ["small"],
        default=lambda: "small",
        resolve=_resolve,
        card=lambda name: {**card, "scores": {"noise:25": 30.9}},
    )
    monkeypatch.setattr(tfimg, "presets", presets, raising=False)
    monkeypatch.setitem(sys.modules, "tfimg.presets", presets)
    return made


def _picture(path, height=12, width=10, dark=False):
    pixels = np.random.default_rng(0).integers(0, 100, (height, width, 3), np.uint8)
    pixels = pixels if dark else pixels + 150
    Image.fromarray(pixels).save(path)
    return pixels


def _pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _fails(capsys, *argv):
    """The one line on stderr of a command that exits with status 2."""
    try:
        status = cli.main([str(word) for word in argv])
    except SystemExit as stopped:
        status = stopped.code
    output = capsys.readouterr()
    assert status == 2
    assert output.err.startswith("tfimg: error: ")
    assert output.err.count("\n") == 1, output.err
    return output.err


# restore


def test_restore_one_file_with_words(restorer, tmp_path, capsys):
    pixels = _picture(tmp_path / "in.png")
    out = tmp_path / "out.png"
    assert cli.main(["restore", str(tmp_path / "in.png"), "too dark", "-o", str(out)]) == 0
    np.testing.assert_array_equal(_pixels(out), 255 - pixels)
    assert restorer.calls == [{"instruction": "too dark", "strength": None, "mask": None}]
    output = capsys.readouterr()
    assert output.out.splitlines()[0] == "understood: low_light 98 %"
    assert output.err == ""


def test_options_may_stand_before_the_words(restorer, tmp_path):
    _picture(tmp_path / "in.png")
    argv = ["restore", tmp_path / "in.png", "-o", tmp_path / "out.png", "--strength", 0.5]
    assert cli.main([*map(str, argv), "remove the noise"]) == 0
    assert restorer.calls[0] == {"instruction": "remove the noise", "strength": 0.5, "mask": None}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--precision", "float32"], "float32"),
        (["--precision", "mixed_bfloat16"], "mixed_bfloat16"),
        ([], "the machine's"),
    ],
)
def test_the_precision_is_the_one_asked_for_or_the_machines(
    restorer, tmp_path, monkeypatch, options, expected
):
    chosen = {"auto": "the machine's"}
    monkeypatch.setattr(machine, "choose_precision", lambda choice: chosen.get(choice, choice))
    _picture(tmp_path / "in.png")
    argv = ["restore", tmp_path / "in.png", "noise", "-o", tmp_path / "out.png", *options]
    assert cli.main([*map(str, argv)]) == 0
    assert restorer.dtype == expected


def test_what_tells_and_does_not_restore_is_exact(restorer, capsys):
    assert cli.main(["interpret", "noise"]) == 0
    assert restorer.dtype == "float32"


def test_a_folder_gives_a_folder_with_the_same_names(restorer, tmp_path):
    (tmp_path / "in").mkdir()
    first = _picture(tmp_path / "in" / "a.png")
    second = _picture(tmp_path / "in" / "b.bmp", 5, 7)
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    assert cli.main(["restore", str(tmp_path / "in"), "noise", "-o", str(tmp_path / "out")]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.bmp"]
    np.testing.assert_array_equal(_pixels(tmp_path / "out" / "a.png"), 255 - first)
    np.testing.assert_array_equal(_pixels(tmp_path / "out" / "b.bmp"), 255 - second)


def test_bad_files_of_a_folder_are_listed_and_the_others_done(restorer, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    _picture(folder / "a.png")
    (folder / "b.png").write_bytes(b"")
    _picture(folder / "c.png")
    _picture(folder / "d.png", width=13)
    assert cli.main(["restore", str(folder), "noise", "-o", str(tmp_path / "out")]) == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "tfimg: error: 2 pictures could not be used:",
        f"  {folder / 'b.png'}: the file is empty (0 bytes)",
        f"  {folder / 'd.png'}: thirteen is too much",
    ]


def test_a_picture_too_large_for_memory_is_listed_like_others(restorer, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    _picture(folder / "a.png", width=14)
    _picture(folder / "b.png")
    line = _fails(capsys, "restore", folder, "noise", "-o", tmp_path / "out")
    assert line == f"tfimg: error: {folder / 'a.png'}: not enough memory\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_several_files_go_into_a_folder(restorer, tmp_path):
    for name in ("a.png", "b.png"):
        _picture(tmp_path / name)
    words = [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "noise"]
    assert cli.main(["restore", *words, "-o", str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("words", [[], ["make it better"]])
def test_without_clear_words_it_is_described_and_says_so(restorer, tmp_path, capsys, words):
    _picture(tmp_path / "a.png")
    arguments = ["restore", str(tmp_path / "a.png"), *words, "-o", str(tmp_path / "out.png")]
    assert cli.main([*arguments, "--passes", "2"]) == 0
    assert restorer.calls[0]["instruction"] == (words[0] if words else None)
    assert "a.png: the describer found it, 2 passes\n" in capsys.readouterr().out


def test_the_steps_and_their_strength_are_shown_first(restorer, tmp_path, capsys):
    _picture(tmp_path / "a.png")
    words = "first remove the noise, then slightly lift what is dark"
    out = str(tmp_path / "out.png")
    assert cli.main(["restore", str(tmp_path / "a.png"), words, "-o", out]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "understood: noise 98 %; then low_light 98 %, strength 0.5"


def test_describe(restorer, tmp_path, capsys):
    _picture(tmp_path / "dark.png", dark=True)
    (tmp_path / "bad.png").write_text("no picture")
    assert cli.main(["describe", str(tmp_path), "--language", "zh", "--json"]) == 2
    output = capsys.readouterr()
    expected = {"file": str(tmp_path / "dark.png"), "state": "noise", "instruction": "in zh"}
    assert json.loads(output.out) == [expected]
    assert "bad.png" in output.err
    assert cli.main(["describe", str(tmp_path / "dark.png")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'dark.png'}: noise in en\n"


def test_grey_16_bit_and_alpha_come_back_as_they_were(restorer, tmp_path):
    grey = np.arange(120, dtype=np.uint16).reshape(10, 12) * 500
    Image.fromarray(grey).save(tmp_path / "grey.png")
    rgba = np.random.default_rng(0).integers(0, 256, (6, 8, 4), np.uint8)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    for name in ("grey", "rgba"):
        source, out = tmp_path / f"{name}.png", tmp_path / f"{name}_out.png"
        assert cli.main(["restore", str(source), "noise", "-o", str(out)]) == 0
    np.testing.assert_array_equal(_pixels(tmp_path / "grey_out.png"), 65535 - grey)
    expected = np.dstack([255 - rgba[..., :3], rgba[..., 3]])
    np.testing.assert_array_equal(_pixels(tmp_path / "rgba_out.png"), expected)


def test_an_animation_is_restored_by_its_first_frame_and_says_so(restorer, tmp_path, capsys):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:])
    argv = ["restore", tmp_path / "in.gif", "noise", "-o", tmp_path / "out.png"]
    assert cli.main([*map(str, argv)]) == 0
    assert "2 frames; only the first" in capsys.readouterr().out
    assert (_pixels(tmp_path / "out.png") == [0, 255, 255]).all()


def test_a_white_mask_pixel_is_known(restorer, tmp_path):
    _picture(tmp_path / "in.png")
    mask = np.random.default_rng(1).random((12, 10)) > 0.5
    Image.fromarray(mask).save(tmp_path / "mask.png")
    argv = ["restore", tmp_path / "in.png", "fix", "-o", tmp_path / "o.png", "--mask"]
    assert cli.main([*map(str, argv), str(tmp_path / "mask.png")]) == 0
    given = restorer.calls[0]["mask"]
    assert given.shape == (12, 10, 1)
    np.testing.assert_array_equal(given[..., 0], mask)


def test_match_colour_gives_the_input_its_mean_back(restorer, tmp_path):
    pixels = _picture(tmp_path / "in.png", 40, 50)
    argv = ["restore", tmp_path / "in.png", "noise", "-o", tmp_path / "o.png", "--match-colour"]
    assert cli.main([*map(str, argv)]) == 0
    assert abs(_pixels(tmp_path / "o.png").mean() - pixels.mean()) < 0.5


def test_a_cut_instruction_is_a_one_line_warning(restorer, tmp_path, capsys):
    _picture(tmp_path / "in.png")
    argv = ["restore", tmp_path / "in.png", "noise " * 100, "-o", tmp_path / "out.png"]
    assert cli.main([*map(str, argv)]) == 0
    assert capsys.readouterr().err == "tfimg: warning: the instruction is too long and was cut\n"


def test_enhance_has_words_of_its_own(restorer, tmp_path):
    _picture(tmp_path / "in.png")
    argv = ["enhance", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png")]
    assert cli.main(argv) == 0
    assert restorer.insisted, "nobody said that they have faded"
    assert cli.main([*argv, "warmer"]) == 0
    assert not restorer.insisted
    assert cli.main([*argv, "warmer", "--insist"]) == 0
    assert restorer.insisted
    assert [call["instruction"] for call in restorer.calls] == [
        "more vivid colours",
        "warmer",
        "warmer",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{}/missing.png", "noise", "-o", "{}/o.png"], "missing.png: no such file"),
        (["{}/in.png", "{}/missing.png", "-o", "{}/o"], "missing.png: no such file"),
        (["{}/empty.png", "noise", "-o", "{}/o.png"], "empty"),
        (["{}/text.png", "noise", "-o", "{}/o.png"], "not a picture"),
        (["{}/bare", "noise", "-o", "{}/o"], "holds no pictures"),
        (["{}/in.png", "", "-o", "{}/o.png"], "instruction is empty"),
        (["{}/in.png", " \t", "-o", "{}/o.png"], "instruction is empty"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--strength", "7"], "strength is 7"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--strength", "-1"], "strength is -1"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--strength", "nan"], "strength is nan"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--strength", "much"], "'much'"),
        (["{}/in.png", "noise", "-o", "{}/in.png"], "is the input"),
        (["{}/in.png", "noise", "-o", "{}"], "is the input"),
        (["{}/in.png", "noise", "-o", "{}/o.xyz"], "'.xyz'"),
        (["{}/in.png", "noise", "-o", "/proc/o.png"], "cannot be written"),
        (["{}/in.png", "{}/small.png", "-o", "{}/o.png"], "expected a folder"),
        (["{}/in.png", "{}/twin/in.png", "-o", "{}/o"], "would both become"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--preset", "large"], "unknown preset 'large'"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--preset", "broken"], "cannot load preset"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--mask", "{}/small.png"], "is 3x3, but"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--mask", "{}/no.png"], "no such file"),
        (["{}/in.png", "fix", "-o", "{}/small.png", "--mask", "{}/small.png"], "is the input"),
        (["{}/in.png", "noise", "-o", ""], "found '', expected the name of a file or folder"),
        (["{}/in.png", "noise"], "-o"),
        (["{}/in.png", "noise", "-o", "{}/o.png", "--loud"], "--loud"),
    ],
)
def test_what_restore_refuses(restorer, tmp_path, capsys, words, message):
    _picture(tmp_path / "in.png")
    _picture(tmp_path / "small.png", 3, 3)
    (tmp_path / "twin").mkdir()
    _picture(tmp_path / "twin" / "in.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("words")
    (tmp_path / "bare").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert message in _fails(capsys, "restore", *(word.format(tmp_path) for word in words))
    assert sorted(tmp_path.rglob("*")) == before
    assert restorer.calls == []


def test_what_a_preset_complains_of_is_said_once(restorer, monkeypatch):
    def from_preset(name, dtype):
        raise ValueError(f"cannot load preset {name!r}: half of it is missing")

    monkeypatch.setattr(tfimg.ImageRestorer, "from_preset", from_preset)
    with pytest.raises(ValueError, match="^cannot load preset 'small': half of it is missing$"):
        commands.load("ImageRestorer", "small")


def test_a_failed_restoration_writes_nothing(restorer, tmp_path, capsys):
    _picture(tmp_path / "in.png", width=13)
    line = _fails(capsys, "restore", tmp_path / "in.png", "noise", "-o", tmp_path / "o.png")
    assert line == f"tfimg: error: {tmp_path / 'in.png'}: thirteen is too much\n"
    assert not (tmp_path / "o.png").exists()


# The other commands


def test_classify_json(restorer, tmp_path, capsys):
    _picture(tmp_path / "a.png", dark=True)
    _picture(tmp_path / "b.png")
    assert cli.main(["classify", "--json", str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["file"] for row in rows] == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert list(rows[0]["probabilities"]) == list(NAMES)
    assert rows[0]["probabilities"]["noise"] == pytest.approx(0.9)
    assert rows[1]["probabilities"]["none"] == pytest.approx(0.9)
    assert rows[0]["severity"] == dict.fromkeys(NAMES[:-1], 0.8)


class Fruits:
    """A classifier with labels of its own."""

    diagnoses = False

    def classify(self, image, description=None):
        return {"apple": 0.25, "pear": 0.75} if description else {"apple": 0.75, "pear": 0.25}


def test_labels_of_ones_own_are_classified_and_not_diagnosed(
    restorer, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(tfimg.ImageClassifier, "from_preset", lambda name, dtype: Fruits())
    monkeypatch.setattr(restorer, "diagnoses", False)
    for name in ("a.png", "b.png"):
        _picture(tmp_path / name)
    first = str(tmp_path / "a.png")
    assert cli.main(["classify", "--json", first]) == 0
    expected = {"file": first, "probabilities": {"apple": 0.75, "pear": 0.25}}
    assert json.loads(capsys.readouterr().out) == [expected]
    assert cli.main(["classify", "--json", first, "--description", "from a tree"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["probabilities"]["pear"] == 0.75
    assert "'small' has classes of its own" in _fails(capsys, "describe", tmp_path)
    out = tmp_path / "out"
    assert "say in words what to do" in _fails(capsys, "restore", tmp_path, "-o", out)
    assert cli.main(["restore", str(tmp_path), "noise", "-o", str(out)]) == 0


def test_a_diagnosis_needs_no_description(restorer, tmp_path, capsys):
    _picture(tmp_path / "a.png")
    said = _fails(capsys, "classify", tmp_path, "--description", "a tree")
    assert "--description is for presets with labels of their own" in said


def test_classify_skips_bad_files(restorer, tmp_path, capsys):
    _picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("words")
    assert cli.main(["classify", str(tmp_path), "--json"]) == 2
    output = capsys.readouterr()
    assert len(json.loads(output.out)) == 1
    assert "b.png: is not a picture" in output.err and output.err.count("\n") == 1


def test_classify_table(restorer, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    _picture(tmp_path / "a.png", dark=True)
    assert cli.main(["classify", str(tmp_path)]) == 0
    assert "noise 90 %" in capsys.readouterr().out


def test_interpret_reads_words_and_a_file(restorer, tmp_path, capsys):
    (tmp_path / "lines.txt").write_text("too dark\n\n去掉噪点 noise 🙂\n", encoding="utf-8")
    argv = ["interpret", "hello [b] :smile:", "--json", "--file", str(tmp_path / "lines.txt")]
    assert cli.main(argv) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [max(row, key=row.get) for row in rows] == ["none", "low_light", "noise"]
    assert all(list(row) == list(NAMES) for row in rows)


def test_interpret_moves_a_bar_with_each_sentence(restorer, capsys, monkeypatch):
    moved = []

    @contextlib.contextmanager
    def bars(label, count):
        yield lambda: moved.append((label, count)), None, None

    monkeypatch.setattr(show, "bars", bars)
    assert cli.main(["interpret", "noise", "too dark", "hello"]) == 0
    assert moved == [("interpreting", 3)] * 3


def test_interpret_table_prints_sentences_as_typed(restorer, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["interpret", "it is too dark [b] :smile: 太暗"]) == 0
    output = capsys.readouterr().out
    assert "it is too dark [b] :smile: 太暗" in output and "low_light 98 %" in output


def test_what_interpret_refuses(restorer, tmp_path, capsys):
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "latin.txt").write_bytes("trüb".encode("latin-1"))
    assert "no sentence" in _fails(capsys, "interpret")
    assert "sentence 2 is empty" in _fails(capsys, "interpret", "noise", "")
    assert "holds no sentence" in _fails(capsys, "interpret", "--file", tmp_path / "blank.txt")
    assert "not UTF-8" in _fails(capsys, "interpret", "--file", tmp_path / "latin.txt")
    assert "no such file" in _fails(capsys, "interpret", "--file", tmp_path / "none.txt")
    assert "unknown preset" in _fails(capsys, "interpret", "noise", "--preset", "large")


def test_presets(restorer, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["presets"]) == 0
    output = capsys.readouterr().out
    for word in ("small", "ImageRestorer", "0.18 M", "4.2 MB", "Apache-2.0", "noise:25 30.9"):
        assert word in output
    assert cli.main(["presets", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "small" and row["parameters"] == 180_000


def test_demo_writes_the_sheet_and_true_figures(restorer, tmp_path, capsys, monkeypatch):
    photo = _picture(tmp_path / "sample.png", 24, 32)
    monkeypatch.setattr(
        tfimg.presets, "sample_path", lambda: tmp_path / "sample.png", raising=False
    )
    monkeypatch.setattr(demo, "_CASES", (("noise:35", "remove the noise"), ("damage", "修复")))
    out = tmp_path / "sheet.png"
    assert cli.main(["demo", "-o", str(out), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["instruction"] for row in rows] == ["remove the noise", "修复"]
    noise = np.random.RandomState(0).standard_normal(photo.shape) * 35
    spoilt = np.rint(np.clip(photo + noise, 0, 255))
    for key, result in (("psnr_before", spoilt), ("psnr_after", 255 - spoilt)):
        expected = 10 * np.log10(255**2 / np.mean((result - photo) ** 2))
        assert rows[0][key] == pytest.approx(expected, abs=0.05)
    assert restorer.calls[0]["mask"] is None
    assert restorer.calls[1]["mask"].shape == (24, 32, 1)
    assert _pixels(out).shape[1] > 4 * 32


def test_demo_refuses_an_output_it_cannot_write(restorer, capsys):
    assert "'.xyz'" in _fails(capsys, "demo", "-o", "demo.xyz")


def test_help_names_the_preset_that_is_used(capsys):
    defaults = {"restore": presets.default(), "generate": generation.PRESET}
    for command, name in defaults.items():
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        assert f"(default: {name})" in " ".join(capsys.readouterr().out.split())


def test_every_command_explains_itself(capsys):
    for command in ("demo", "restore", "enhance", "classify", "interpret", "presets"):
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, "--help"])
        assert stopped.value.code == 0
        assert "--preset" in capsys.readouterr().out


def test_bad_input_is_refused_without_loading_tensorflow(tmp_path):
    _picture(tmp_path / "in.png")
    program = f"""
import sys
from tfimg.cli import main
status = main(["restore", {str(tmp_path / "in.png")!r}, "x", "-o", {str(tmp_path / "in.png")!r}])
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("tfimg: error: output") and done.stderr.count("\n") == 1


def test_the_module_is_the_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tfimg", "restore", "nowhere.png", "-o", "out.png"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == "tfimg: error: nowhere.png: no such file or folder\n"
    assert done.stdout == ""
