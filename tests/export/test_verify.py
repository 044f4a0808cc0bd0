"""The proof: it passes what is equal, and it sees what is not."""

import json

import numpy as np
import pytest

import tfimg
from export import maker_proof, restorer_proof, saved_model, tflite, verify
from tests import tiny


@pytest.fixture(scope="module")
def photo():
    coarse = np.random.default_rng(0).integers(0, 256, (33, 33, 3), np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture(scope="module")
def cases(photo):
    return restorer_proof.cases([photo])


@pytest.fixture(scope="module")
def folders(restorer, photo, tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    saved_model.write(restorer, root / "restorer" / "1", "nowhere", 10**6)
    tflite.write(restorer, root / "none", "none", restorer_proof.SIDE, [])
    return root / "restorer" / "1", root / "none"


def test_cases_are_degraded_photos_with_words(cases, photo):
    assert {case.words for case in cases} >= {"remove the noise", "去雾"}
    for case in cases:
        assert case.image.dtype == np.uint8 and case.image.shape == (
            restorer_proof.SIDE,
            restorer_proof.SIDE,
            3,
        )
        np.testing.assert_allclose(case.clean, photo[4:260, 4:260] / np.float32(255), atol=1e-6)
        assert np.abs(case.image / 255 - case.clean).mean() > 0.005


def test_what_is_equal_passes(restorer, cases, folders):
    rows = restorer_proof.compare(restorer, cases[:2], folders[0], [folders[1]])
    assert [row.what for row in rows] == [
        *("serving_default", "restore", "restore_embedded"),
        *("encode_text", "interpret", "classify", "REST", "gRPC", "image", "words", "diagnosis"),
    ]
    assert all(row.passed for row in rows), rows


def test_another_severity_does_not_pass(cases, folders, monkeypatch):
    twin = tiny.perturb(tiny.restorer())  # the fixture's weights
    monkeypatch.setattr(restorer_proof, "server_rows", lambda *_: [])
    rows = restorer_proof.compare(twin, cases[:1], folders[0], [])
    assert all(row.passed for row in rows), rows
    for weight in twin.backbone.image_network.get_layer("severity").weights:
        weight.assign(weight * 0.9)
    rows = restorer_proof.compare(twin, cases[:1], folders[0], [])
    assert [row.what for row in rows if not row.passed] == ["classify"]


def test_another_network_does_not_pass(cases, folders):
    stranger = tiny.perturb(tiny.restorer(), seed=1)
    rows = restorer_proof.compare(stranger, cases[:2], folders[0], [folders[1]])
    assert not any(row.passed for row in rows), rows


@pytest.mark.filterwarnings("ignore:the instruction has")  # int8 is calibrated on prompts
def test_a_folder_for_the_other_task_is_refused_in_one_line(preset, maker, tmp_path, capsys):
    tflite.write(maker, tmp_path / "phone", "none", None, [])
    assert verify.main(["--preset", str(preset), "--lite", str(tmp_path / "phone")]) == 2
    error = capsys.readouterr().err.strip()
    assert "makes pictures; use export.lite_maker" in error and "\n" not in error


@pytest.mark.filterwarnings("ignore:the instruction has")  # the tiny text branch cuts prompts
def test_what_makes_pictures_is_proved_alike(maker, tmp_path):
    saved_model.write(maker, tmp_path / "maker" / "1", "nowhere", 1)
    for quantize in ("none", "float16"):
        tflite.write(maker, tmp_path / quantize, quantize, None, [])
    artefacts = tmp_path / "maker" / "1", [tmp_path / "none", tmp_path / "float16"]
    rows = maker_proof.compare(maker, *artefacts)
    assert [row.what for row in rows] == [
        *("serving_default", "generate", "generate_embedded", "encode_text"),
        *("REST", "gRPC", "image", "words", "image"),
    ]
    assert all(row.passed for row in rows), rows
    stranger = tfimg.TextToImage(
        tiny.perturb(tiny.backbone(canvas=16, embedding_dim=7), seed=1), tiny.preprocessor()
    )
    assert not any(row.passed for row in maker_proof.compare(stranger, *artefacts))


def test_the_exit_status_tells(preset, folders, photo, tmp_path, capsys):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.fromarray(photo).save(tmp_path / "photos" / "one.png")
    arguments = ["--preset", str(preset), "--photos", str(tmp_path / "photos"), "--json"]
    assert verify.main([*arguments, "--lite", str(folders[1])]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["what"] for row in rows} == {"image", "words", "diagnosis"} and all(
        r["passed"] for r in rows
    )

    tiny.perturb(tiny.restorer(), seed=1).save_to_preset(str(tmp_path / "stranger"))
    arguments[1] = str(tmp_path / "stranger")
    assert verify.main([*arguments, "--lite", str(folders[1])]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "nowhere"], "nowhere"),
        (["--saved-model", "nowhere/1"], "nowhere/1"),
        (["--lite", "nowhere"], "nowhere"),
        (["--photos", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, capsys):
    assert verify.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
