import numpy as np
import pytest
from PIL import Image

from tfimg.data import photos


def _save(path, color=(10, 20, 30), size=(6, 4), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)
    return path


def test_photos_come_in_order_from_all_subfolders(tmp_path):
    _save(tmp_path / "b" / "2.png", (2, 0, 0))
    _save(tmp_path / "b" / "10" / "x.JPG", (60, 60, 60))
    _save(tmp_path / "a" / "9.png", (9, 0, 0))
    _save(tmp_path / "b" / ".hidden.png", (99, 0, 0))
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    found = list(photos.photos_from_folders([tmp_path / "b", str(tmp_path / "a")]))
    assert [photo[0, 0, 0] for photo in found] == [60, 2, 9]
    assert all(photo.shape == (4, 6, 3) and photo.dtype == np.uint8 for photo in found)


def test_photos_are_rgb_on_white_and_upright(tmp_path):
    _save(tmp_path / "1_grey.png", 77, mode="L")
    _save(tmp_path / "2_alpha.png", (200, 100, 0, 51), mode="RGBA")
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (6, 4)).save(tmp_path / "3_turned.jpg", exif=exif)
    Image.fromarray(np.full((4, 6), 65535, np.uint16)).save(tmp_path / "4_deep.png")
    grey, alpha, turned, deep = photos.photos_from_folders([tmp_path])
    assert (grey == 77).all()
    assert alpha[0, 0].tolist() == [244, 224, 204]  # a fifth of the colour, the rest is white
    assert turned.shape == (6, 4, 3)
    assert (deep == 255).all() and deep.dtype == np.uint8


def test_unreadable_photos_are_left_out_by_name(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    _save(tmp_path / "good.png")
    with pytest.warns(UserWarning, match="bad.png"):
        assert len(list(photos.photos_from_folders([tmp_path]))) == 1
    (tmp_path / "good.png").unlink()
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="none of its 1 pictures"):
        list(photos.photos_from_folders([tmp_path]))


def test_bad_folders_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        photos.photos_from_folders([tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: holds no pictures"):
        photos.photos_from_folders([tmp_path / "empty"])
    with pytest.raises(ValueError, match="is a file"):
        photos.photos_from_folders([_save(tmp_path / "1.png")])
    with pytest.raises(TypeError, match="list of folders"):
        photos.photos_from_folders(str(tmp_path))


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    """Three data sets on disk, as TensorFlow Datasets prepares them; their code is not known."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    rng = np.random.default_rng(0)
    for name, channels, feature in (("grey", 1, "image"), ("glass", 4, "image"), ("odd", 3, "hr")):
        image = tfds.features.Image(shape=(None, None, channels))
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict({feature: image, "id": np.int64}),
            split_datasets={
                "train": [
                    (i, {feature: rng.integers(0, 256, (5, 4 + i, channels), np.uint8), "id": i})
                    for i in range(3)
                ]
            },
            data_dir=folder,
            disable_shuffling=True,
        )
    return folder


def test_tfds_pictures_become_rgb(tfds_dir):
    found = list(photos.photos_from_tfds("grey", data_dir=tfds_dir))
    assert [photo.shape for photo in found] == [(5, 4, 3), (5, 5, 3), (5, 6, 3)]
    first = np.random.default_rng(0).integers(0, 256, (5, 4, 1), np.uint8)
    np.testing.assert_array_equal(found[0], np.repeat(first, 3, axis=-1))
    (glass,) = photos.photos_from_tfds("glass:1.0.0", split="train[:1]", data_dir=tfds_dir)
    assert glass.shape == (5, 4, 3) and glass.dtype == np.uint8


def test_unknown_tfds_names_and_features_are_refused(tfds_dir):
    with pytest.raises(ValueError, match="no data set 'no_such_set'"):
        photos.photos_from_tfds("no_such_set", data_dir=tfds_dir)
    with pytest.raises(ValueError, match="its features are hr, id"):
        photos.photos_from_tfds("odd", data_dir=tfds_dir)
    with pytest.raises(ValueError, match="nowhere"):
        photos.photos_from_tfds("grey", split="nowhere", data_dir=tfds_dir)
