"""Pictures as bytes, and the files of the commands that restore."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from export.pictures import from_png, restore_files, settle, to_png, upright_png

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)


def _saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_picture_goes_to_png_and_back():
    assert to_png(PICTURE).startswith(b"\x89PNG")
    np.testing.assert_array_equal(from_png(to_png(PICTURE)), PICTURE)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})],
)
def test_other_formats_become_png(kind, options):
    data = upright_png(_saved(Image.fromarray(PICTURE), kind, **options))
    assert data.startswith(b"\x89PNG")
    np.testing.assert_array_equal(from_png(data), PICTURE)


def test_a_picture_is_turned_upright_and_has_eight_bits():
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held on its side
    data = upright_png(_saved(Image.fromarray(PICTURE), "PNG", exif=turned))
    np.testing.assert_array_equal(from_png(data), np.rot90(PICTURE, -1))
    deep = Image.fromarray(PICTURE[..., 0].astype(np.uint16) * 257)
    np.testing.assert_array_equal(
        from_png(upright_png(_saved(deep, "PNG"))), PICTURE[..., :1].repeat(3, axis=2)
    )


@pytest.mark.parametrize("data", [b"", b"just some text", to_png(PICTURE)[:100]])
def test_what_is_no_picture_says_so_without_the_name_of_a_scratch_file(data):
    with pytest.raises(ValueError) as caught:
        upright_png(data)
    assert str(caught.value) and "tmp" not in str(caught.value)


def test_a_file_that_fails_and_a_note_are_told(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    frames = [Image.fromarray(PICTURE), Image.fromarray(PICTURE[::-1].copy())]
    frames[0].save(folder / "a.tif", save_all=True, append_images=frames[1:])
    frames[0].resize((9, 9)).save(folder / "b.png")
    plan, words = settle([str(folder), "invert"], str(tmp_path / "out"))
    assert words == "invert"

    def invert(image):
        if image.shape[0] == 9:
            raise RuntimeError("too\nsmall")
        return 255 - image

    assert restore_files("python -m export.lite", plan, invert) == 2
    said, error = capsys.readouterr()
    assert "a.tif: has 2 frames; only the first one is used" in said
    assert "a.tif: written" in said
    assert error.strip() == f"export.lite: error: {folder / 'b.png'}: too small"
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "a.tif")), 255 - PICTURE)


def test_a_name_that_cannot_be_printed_is_no_failure(tmp_path, capsys):
    source = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.fromarray(PICTURE).save(source)
    (tmp_path / "out").mkdir()
    plan, _ = settle([str(source)], str(tmp_path / "out"))
    assert restore_files("python -m export.lite", plan, lambda image: 255 - image) == 0
    said, error = capsys.readouterr()
    assert "caf\\udce9.png: written" in said and not error
    written = np.asarray(Image.open(tmp_path / "out" / source.name))
    np.testing.assert_array_equal(written, 255 - PICTURE)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "IN: not enough memory"),
        (ValueError("IN: holds values of no picture"), "IN: holds values of no picture"),
    ],
)
def test_why_a_picture_failed_is_said_once(error, said, tmp_path, capsys):
    source = tmp_path / "in.png"
    Image.fromarray(PICTURE).save(source)
    plan, _ = settle([str(source)], str(tmp_path / "out.png"))
    error.args = tuple(reason.replace("IN", str(source)) for reason in error.args)

    def fail(image):
        raise error

    assert restore_files("python -m export.lite", plan, fail) == 2
    found = capsys.readouterr().err.strip()
    assert found == f"export.lite: error: {said.replace('IN', str(source))}"
