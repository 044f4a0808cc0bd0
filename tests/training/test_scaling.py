"""Time and memory by size: what is read of a benchmark, and what is refused."""

import json

import pytest

from training import scaling
from training.scaling import Size


def benchmark(path, size="4000x3000", runtime="Keras, tiles", memory=900.0):
    rows = [
        {"runtime": runtime, "network": "restorer_small", "median": 6000.0, "memory": memory},
        {"runtime": "LiteRT, tiles", "network": "restorer_small", "median": 9.0, "memory": 80.0},
    ]
    path.write_text(json.dumps({"size": size, "rows": rows}))
    return path


def test_a_size_is_read(tmp_path):
    assert scaling.told(benchmark(tmp_path / "12.json")) == Size(12.0, 6.0, 900.0)


@pytest.mark.parametrize(
    "broken", [{"runtime": "Keras, words cached"}, {"size": "large"}, {"memory": None}]
)
def test_what_lacks_a_number_is_refused(tmp_path, broken):
    with pytest.raises(ValueError, match="12.json holds no benchmark"):
        scaling.told(benchmark(tmp_path / "12.json", **broken))


def test_what_is_no_benchmark_is_one_line(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="which only the extra `figures` brings")
    (tmp_path / "1.json").write_text("{")
    command = ["--speed", str(tmp_path / "1.json"), "--out", str(tmp_path / "out.png")]
    assert scaling.main(command) == 2
    assert "holds no benchmark" in capsys.readouterr().err and not (tmp_path / "out.png").exists()


def test_the_command_draws_and_prints(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="which only the extra `figures` brings")
    files = [benchmark(tmp_path / "12.json"), benchmark(tmp_path / "1.json", "1000x1000")]
    out = tmp_path / "out.png"
    assert scaling.main(["--speed", *map(str, files), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1].split()[:4] == ["12.00", "megapixels", "6.00", "s"]
    assert out.stat().st_size > 1000
