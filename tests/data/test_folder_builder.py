import json

import numpy as np
import pytest
from PIL import Image

from tfimg.data.folder_builder import PictureFolder
from tfimg.data.photos import photos_from_tfds

NAMES = [f"thing {i}" for i in range(30)]


def _save(path, color=(10, 20, 30), mode="RGB", size=(5, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)
    return path


def _table(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def _prepared(folder, data_dir, **kwargs):
    builder = PictureFolder(folder=folder, data_dir=data_dir, **kwargs)
    builder.download_and_prepare()
    return builder


def _examples(builder, split="train"):
    found = builder.as_dataset(split=split).as_numpy_iterator()
    return {example["file"].decode(): example for example in found}


def _all_examples(builder):
    return {k: v for split in builder.info.splits for k, v in _examples(builder, split).items()}


@pytest.fixture(scope="module")
def captioned(tmp_path_factory):
    """Two styles of the same thirty names, one of them with alpha."""
    folder = tmp_path_factory.mktemp("captioned")
    for style, mode, color in (("flat", "RGBA", (200, 100, 0, 51)), ("round", "RGB", (1, 2, 3))):
        rows = []
        for i, name in enumerate(NAMES):
            _save(folder / style / f"{i}.png", color, mode)
            row = {"file": f"{style}/{i}.png", "style": style, "keywords": ["a", "乙"][: i % 3]}
            row["name"] = name if style == "flat" else f" {name.title()}"
            rows.append(row | {"name_zh": "东西" if i else None})
        rows[3]["flag"] = True
        _table(folder / f"{style}.jsonl", rows)
    return folder


@pytest.fixture(scope="module")
def builder(captioned, tmp_path_factory):
    return _prepared(captioned, tmp_path_factory.mktemp("prepared"))


def test_captions_come_with_their_pictures(builder):
    examples = _all_examples(builder)
    assert len(examples) == 60
    flat = examples["flat/3.png"]
    assert flat["image"].shape == (4, 5, 3) and flat["image"].dtype == np.uint8
    assert flat["image"][0, 0].tolist() == [244, 224, 204]  # a fifth of the colour on white
    assert flat["name"].decode() == "thing 3" and flat["style"].decode() == "flat"
    assert (
        flat["name_zh"].decode() == "东西" and flat["flag"] and not examples["flat/4.png"]["flag"]
    )
    assert examples["flat/0.png"]["name_zh"] == b""
    assert [word.decode() for word in examples["flat/5.png"]["keywords"]] == ["a", "乙"]
    assert len(flat["keywords"]) == 0


def test_a_name_may_be_a_number(tmp_path):
    rows = [{"file": f"{i}.png", "name": i % 20 + 1} for i in range(40)]
    for row in rows:
        _save(tmp_path / row["file"])
    builder = _prepared(_table(tmp_path / "rows.jsonl", rows), tmp_path / "data")
    sides = [
        {int(one["name"]) for one in _examples(builder, s).values()} for s in ("train", "test")
    ]
    assert sides[0] and sides[1] and not sides[0] & sides[1]


def test_all_styles_of_a_name_are_in_one_split(builder):
    sides = {
        split: {
            example["name"].decode().strip().lower()
            for example in _examples(builder, split).values()
        }
        for split in ("train", "test")
    }
    assert sides["train"] | sides["test"] == set(NAMES)
    assert not sides["train"] & sides["test"]
    assert 1 <= len(sides["test"]) <= 9
    assert builder.info.splits["test"].num_examples == 2 * len(sides["test"])


def test_the_split_does_not_depend_on_the_folder(builder, captioned, tmp_path):
    alone = _prepared(captioned / "flat.jsonl", tmp_path)
    assert _examples(alone, "test").keys() == {
        file for file in _examples(builder, "test") if file.startswith("flat/")
    }


def test_alpha_can_be_kept(tmp_path):
    folder = tmp_path / "pictures"
    _save(folder / "alpha.png", (200, 100, 0, 51), "RGBA")
    _save(folder / "opaque.png", 7, "L")
    examples = _all_examples(_prepared(folder, tmp_path / "data", channels=4))
    assert examples["alpha.png"]["image"][0, 0].tolist() == [200, 100, 0, 51]
    assert examples["opaque.png"]["image"][0, 0].tolist() == [7, 7, 7, 255]


def test_subfolders_are_labels(tmp_path):
    for label in ("cat", "dog"):
        for i in range(12):
            _save(tmp_path / "animals" / label / "more" / f"{i}.png")
    builder = _prepared(tmp_path / "animals", tmp_path / "data")
    label = builder.info.features["label"]
    assert label.names == ["cat", "dog"]
    examples = _all_examples(builder)
    assert len(examples) == 24
    assert all(label.int2str(ex["label"]) == file.split("/")[0] for file, ex in examples.items())
    image, number = next(iter(builder.as_dataset(split="train", as_supervised=True)))
    assert image.shape == (4, 5, 3) and number.shape == ()


def test_prepared_data_is_read_by_name_without_the_class(captioned, tmp_path):
    builder = _prepared(captioned / "round.jsonl", tmp_path)
    name = f"picture_folder/{builder.builder_config.name}"
    photos = list(photos_from_tfds(name, "train+test", data_dir=tmp_path))
    assert len(photos) == 30
    assert all((photo == [1, 2, 3]).all() for photo in photos)


def test_a_changed_folder_is_another_configuration(tmp_path):
    folder = tmp_path / "图片 1"
    _save(folder / "1.png")
    names = {PictureFolder(folder, data_dir=tmp_path / "data").builder_config.name}
    names.add(PictureFolder(folder, data_dir=tmp_path / "data").builder_config.name)
    assert len(names) == 1
    names.add(PictureFolder(folder, data_dir=tmp_path / "data", channels=4).builder_config.name)
    _save(folder / "2.png")
    names.add(PictureFolder(folder, data_dir=tmp_path / "data").builder_config.name)
    assert len(names) == 3


def test_unreadable_pictures_are_left_out(tmp_path):
    for i in range(30):
        _save(tmp_path / "pictures" / f"{i}.png")
    whole = _prepared(tmp_path / "pictures", tmp_path / "data")
    held_out = _examples(whole, "test").keys()
    for name in held_out:
        (tmp_path / "pictures" / name).write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="left out") as caught:
        builder = _prepared(tmp_path / "pictures", tmp_path / "data")
    assert all(any(name in str(warning.message) for warning in caught) for name in held_out)
    assert _all_examples(builder).keys() == _examples(whole).keys()

    _save(tmp_path / "bad" / "1.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="none of its 1 pictures"):
        _prepared(tmp_path / "bad", tmp_path / "data")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"caption": "a"}], "line 1: expected an object with a string 'file'"),
        ([{"file": "1.png"}, {"file": "1.png"}], "line 2: names '1.png' a second time"),
        ([{"file": "2.png"}], "no such picture '2.png'"),
        ([{"file": "1.png", "image": "x"}], "column is called 'image'"),
        ([{"file": "1.png", "boxes": [1, 2]}], "column 'boxes' holds list"),
        ([], "holds no rows"),
    ],
)
def test_broken_tables_are_refused(tmp_path, rows, message):
    _save(tmp_path / "1.png")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        PictureFolder(_table(tmp_path / "table.jsonl", rows), data_dir=tmp_path / "data")


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        PictureFolder(tmp_path / "missing", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="missing.jsonl"):
        PictureFolder(tmp_path / "missing.jsonl", data_dir=tmp_path)
    (tmp_path / "broken.jsonl").write_text("{")
    with pytest.raises(ValueError, match="line 1: is no JSON"):
        PictureFolder(tmp_path / "broken.jsonl", data_dir=tmp_path)
    _save(tmp_path / "mixed" / "1.png")
    _save(tmp_path / "mixed" / "cat" / "1.png")
    with pytest.raises(ValueError, match="'1.png' lies beside subfolders"):
        PictureFolder(tmp_path / "mixed", data_dir=tmp_path)
    with pytest.raises(ValueError, match="channels is 1"):
        PictureFolder(tmp_path / "mixed" / "cat", channels=1, data_dir=tmp_path)
