import pytest
from PIL import Image

from tfimg.data import paired_folders


def _save(path, color=(10, 20, 30), size=(6, 4), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, format=None if path.suffix else "PNG")
    return path


def _matches(inputs, targets):
    return {
        pair.name: pair.target_path.relative_to(targets).as_posix()
        for pair in paired_folders.pairs_from_folders(inputs, targets)
    }


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("1.png", "1.png"),  # LOL, GoPro in two folders
        ("scene/1.png", "scene/1.jpg"),
        ("rain-001.png", "norain-001.png"),  # Rain100L
        ("low00690.png", "normal00690.png"),  # LOL-v2
        ("0001_NOISY_SRGB_010.PNG", "0001_GT_SRGB_010.PNG"),  # SIDD
        ("0001_0.8_0.2.jpg", "0001.png"),  # SOTS outdoor
        ("1400_1.png", "1400.png"),  # SOTS indoor
        ("im_0001_s80_a04.png", "im_0001.png"),  # Outdoor-Rain
        ("clear_sky.png", "clear_sky.png"),
        ("scene/blur/1.png", "scene/sharp/1.png"),
    ],
)
def test_two_folders(tmp_path, source, target):
    _save(tmp_path / "in" / source)
    _save(tmp_path / "out" / target)
    _save(tmp_path / "out" / "unused_7.png")
    assert _matches(tmp_path / "in", tmp_path / "out") == {source: target}


def test_many_inputs_share_a_target_and_the_nearest_name_wins(tmp_path):
    for name in ("0001_0.8_0.2.jpg", "0001_1_0.2.jpg", "0001_2.jpg"):
        _save(tmp_path / "hazy" / name)
    _save(tmp_path / "clear" / "0001.png")
    _save(tmp_path / "clear" / "0001_2.png")
    assert _matches(tmp_path / "hazy", tmp_path / "clear") == {
        "0001_0.8_0.2.jpg": "0001.png",
        "0001_1_0.2.jpg": "0001.png",
        "0001_2.jpg": "0001_2.png",
    }


def test_one_folder_with_both_sides(tmp_path):
    for name in ("Canon_3200_real_toy_1", "Canon_3200_real_toy_12"):
        _save(tmp_path / f"{name}_real.JPG")
        _save(tmp_path / f"{name}_mean.JPG")
    assert _matches(tmp_path, tmp_path) == {
        "Canon_3200_real_toy_1_real.JPG": "Canon_3200_real_toy_1_mean.JPG",
        "Canon_3200_real_toy_12_real.JPG": "Canon_3200_real_toy_12_mean.JPG",
    }


def test_gopro_scenes_with_both_sides(tmp_path):
    for scene in ("GOPR0384_11_00", "GOPR0385_11_01"):
        for side in ("blur", "blur_gamma", "sharp"):
            _save(tmp_path / scene / side / "000001.png")
    assert _matches(tmp_path, tmp_path) == {
        "GOPR0384_11_00/blur/000001.png": "GOPR0384_11_00/sharp/000001.png",
        "GOPR0385_11_01/blur/000001.png": "GOPR0385_11_01/sharp/000001.png",
    }


def test_inputs_inside_the_target_folder(tmp_path):
    _save(tmp_path / "norain-001.png")
    _save(tmp_path / "rainy" / "rain-001.png")
    assert _matches(tmp_path / "rainy", tmp_path) == {"rain-001.png": "norain-001.png"}


def test_pairs_that_are_not_certain_are_refused(tmp_path):
    _save(tmp_path / "in" / "1.png")
    _save(tmp_path / "out" / "2.png")
    with pytest.raises(ValueError, match="in/1.png has no target in .*out"):
        paired_folders.pairs_from_folders(tmp_path / "in", tmp_path / "out")
    _save(tmp_path / "out" / "1.png")
    _save(tmp_path / "out" / "1.jpg")
    with pytest.raises(ValueError, match=r"has two targets: .*1.jpg and .*1.png"):
        paired_folders.pairs_from_folders(tmp_path / "in", tmp_path / "out")
    with pytest.raises(ValueError, match="in/1.png: neither input nor target"):
        paired_folders.pairs_from_folders(tmp_path / "in", tmp_path / "in")
    _save(tmp_path / "same" / "1_mean.png")
    with pytest.raises(ValueError, match="every picture in it is a target"):
        paired_folders.pairs_from_folders(tmp_path / "same", tmp_path / "same")


def test_a_pair_is_read_and_has_one_size(tmp_path):
    _save(tmp_path / "in" / "1.png", (1, 2, 3))
    target = _save(tmp_path / "out" / "1.png", (4, 5, 6))
    (pair,) = paired_folders.pairs_from_folders(tmp_path / "in", tmp_path / "out")
    source, clean = paired_folders.read_pair(pair)
    assert source[0, 0].tolist() == [1, 2, 3] and clean[0, 0].tolist() == [4, 5, 6]
    _save(target, size=(7, 4))
    with pytest.raises(ValueError, match="6x4 pixels, its target .* 7x4"):
        paired_folders.read_pair(pair)


def test_links_are_taken_by_their_own_names(tmp_path):
    """As in a download cache, where all files lie elsewhere under names of no meaning."""
    (tmp_path / "set").mkdir()
    for number, name in enumerate(("a_noisy.png", "a_clean.png", "b_noisy.png", "b_clean.png")):
        stored = _save(tmp_path / "store" / f"{number:064x}", size=(6, 4))
        (tmp_path / "set" / name).symlink_to(stored)
    expected = {"a_noisy.png": "a_clean.png", "b_noisy.png": "b_clean.png"}
    assert _matches(tmp_path / "set", tmp_path / "set") == expected
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert _matches(tmp_path / "link", tmp_path / "set") == expected
