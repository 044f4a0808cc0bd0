"""Many clients at once: right answers are told from other clients'."""

import numpy as np
import pytest

from export import launch, saved_model, traffic
from export.pictures import to_png
from export.traffic import Call


@pytest.fixture(scope="module")
def folder(restorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "restorer"
    saved_model.write(restorer, folder / "1", "nowhere", 10_000)
    return folder


def test_an_answer_is_known_by_its_pixels():
    picture = np.random.default_rng(0).integers(0, 254, (9, 8, 3), np.uint8)
    call = Call(b"", to_png(picture))
    assert call.is_answered_by(to_png(picture))
    assert call.is_answered_by(to_png(picture + np.uint8(1)))
    for other in (picture + np.uint8(2), picture[::-1], picture[:8]):
        assert not call.is_answered_by(to_png(other))
    assert not call.is_answered_by(b"no picture")


def test_clients_get_their_own_answers(folder, capsys, monkeypatch):
    monkeypatch.setattr(traffic, "_BASELINE_SECONDS", 0)
    arguments = [str(folder), "--clients", "2", "--seconds", "5", "--size", "16"]
    # A model this small is held up by everything around it; but some answers a second there are.
    for least, status in (("0.01", 0), ("10000", 1)):
        assert traffic.main([*arguments, "--least", least]) == status
        said = capsys.readouterr().out
        assert "the model alone, 2 pictures a batch" in said and "0 wrong, 0 refused" in said


def test_mixed_up_and_refused_answers_are_counted(folder):
    pictures = [traffic.picture(number, 16) for number in range(2)]
    answers, _ = traffic.baseline(folder / "1", pictures, ["remove the noise"] * 2, 0)
    with launch.served(folder) as server:
        right, other = (
            traffic.request(server.model, picture, "remove the noise") for picture in pictures
        )
        calls = [Call(right, answers[0]), Call(other, answers[0]), Call(b"\xff", answers[0])]
        counts = traffic.ask(server.grpc, calls, 5)
    for count, outcome in zip(counts, ("right", "wrong", "refused"), strict=True):
        assert [*count] == [outcome] and count[outcome] > 0


@pytest.mark.parametrize("change", [["nowhere"], ["--clients", "0"]])
def test_bad_arguments_are_refused_in_one_line(folder, change, capsys):
    arguments = change if change[0] == "nowhere" else [str(folder), *change]
    try:
        status = traffic.main(arguments)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    error = capsys.readouterr().err.strip()
    assert change[-1] in error and "\n" not in error
