"""What a machine is best at."""

import pytest

from tfimg import machine


@pytest.mark.parametrize(("choice", "expected"), [("on", True), ("off", False)])
def test_jit_choice(choice, expected):
    assert machine.choose_jit(choice) is expected


def test_automatic_choices_off_a_gpu(monkeypatch):
    monkeypatch.setattr(machine, "has_gpu", lambda: False)
    assert machine.choose_jit("auto") is False
    monkeypatch.setattr(machine.Path, "read_text", lambda self: "flags : fma avx2")
    assert machine.choose_precision("auto") == "float32"
    monkeypatch.setattr(machine.Path, "read_text", lambda self: "flags : avx512_bf16 avx2")
    assert machine.choose_precision("auto") == "mixed_bfloat16"


def test_automatic_choices_on_a_gpu(monkeypatch):
    monkeypatch.setattr(machine, "has_gpu", lambda: True)
    assert machine.choose_jit("auto") is True
    assert machine.choose_precision("auto") == "mixed_bfloat16"


def test_named_precision_is_taken_whatever_the_machine():
    assert machine.choose_precision("mixed_float16") == "mixed_float16"


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="seven_bits"):
        machine.choose_precision("seven_bits")


def test_unknown_jit_choice_is_refused():
    with pytest.raises(ValueError, match="sometimes"):
        machine.choose_jit("sometimes")
