"""The command that learns a vocabulary: what it writes, and what it refuses."""

import pytest

from training import vocabulary


def test_the_reserved_tokens_come_first(tmp_path):
    out = tmp_path / "words.txt"
    arguments = ["--out", str(out), "--size", "200", "--sentences", "60"]
    assert vocabulary.main(arguments) == 0
    tokens = out.read_text(encoding="utf-8").splitlines()
    assert tuple(tokens[:5]) == vocabulary.RESERVED_TOKENS
    assert len(set(tokens)) == len(tokens) > 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "OUT/none/words.txt"], "there is no folder"),
        (["--out", "OUT/words.txt", "--captioned", "OUT/nowhere"], "nowhere"),
        (["--out", "OUT/words.txt", "--captioned", "OUT/nowhere.u8"], "no picture"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_one_line(arguments, message, tmp_path, capsys):
    arguments = [word.replace("OUT", str(tmp_path)) for word in arguments]
    assert vocabulary.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--size", "--sentences"])
def test_numbers_of_nothing_are_refused_in_one_line(option, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        vocabulary.main(["--out", str(tmp_path / "words.txt"), option, "0"])
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err
