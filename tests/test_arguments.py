"""What every command says when it cannot do what is asked."""

import pytest

from tfimg.arguments import Parser, one_line, refuse


@pytest.mark.parametrize(
    ("program", "module"),
    [("python -m tfimg restore", "tfimg"), ("python -m training.fit", "training.fit")],
)
def test_only_the_module_is_named(program, module, capsys):
    assert refuse(program, "no such file") == 2
    assert capsys.readouterr() == ("", f"{module}: error: no such file\n")


def test_an_exception_of_several_lines_becomes_one():
    assert one_line(ValueError("found 3\n   expected 2\n")) == "found 3 expected 2"


def test_a_parser_complains_in_one_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        Parser(prog="python -m training.fit").parse_args(["--bog\nus"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("training.fit: error: unrecognized arguments: --bog us")
    assert error.count("\n") == 1
