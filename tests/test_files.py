import os
import stat
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps

from tfimg import decoding, files, png16

RNG = np.random.default_rng(0)


def _rgb(height=9, width=14):
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def _smooth(height=32, width=48):
    y, x = np.mgrid[:height, :width]
    return np.stack([3 * y, 4 * x, 2 * x + y], axis=-1).astype(np.uint8)


def _grey16(height=9, width=14):
    return RNG.integers(0, 65536, (height, width), np.uint16)


def _open(path):
    with Image.open(path) as image:
        image.load()
    return image


def _save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


# What goes in comes out


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp"])
def test_rgb_goes_through_lossless_formats_unchanged(tmp_path, suffix):
    pixels = _rgb()
    picture = files.read_picture(_save(tmp_path / "in.png", pixels))
    assert picture.mode == "RGB" and picture.alpha is None
    assert picture.note == ""
    assert files.write_picture(picture, tmp_path / f"out{suffix}") == ""
    np.testing.assert_array_equal(np.asarray(_open(tmp_path / f"out{suffix}")), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_lossy_formats_stay_near(tmp_path, suffix):
    pixels = _smooth()
    files.write_picture(files.Picture(pixels), tmp_path / f"out{suffix}")
    back = np.asarray(_open(tmp_path / f"out{suffix}")).astype(int)
    assert np.abs(back - pixels).mean() < 3


def test_grey_stays_grey_and_its_three_channels_are_equal(tmp_path):
    grey = _rgb()[..., 0]
    picture = files.read_picture(_save(tmp_path / "in.png", grey))
    assert picture.mode == "L" and picture.grey
    np.testing.assert_array_equal(picture.pixels, np.stack([grey] * 3, axis=-1))
    files.write_picture(picture, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as out:
        assert out.mode == "L"
        np.testing.assert_array_equal(np.asarray(out), grey)


def test_black_and_white_is_grey(tmp_path):
    bits = _rgb()[..., 0] > 128
    Image.fromarray(bits).save(tmp_path / "in.png")
    picture = files.read_picture(tmp_path / "in.png")
    assert picture.mode == "1" and picture.grey
    np.testing.assert_array_equal(picture.pixels[..., 1], bits * 255)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_stays_16_bit_grey(tmp_path, suffix):
    grey = _grey16()
    picture = files.read_picture(_save(tmp_path / f"in{suffix}", grey))
    assert picture.pixels.dtype == np.uint16 and picture.mode == "I;16" and picture.grey
    np.testing.assert_array_equal(picture.pixels[..., 2], grey)
    files.write_picture(picture, tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as out:
        assert out.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(out), grey)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_keeps_every_bit(tmp_path, channels):
    values = RNG.integers(0, 65536, (300, 7, channels), np.uint16)
    with open(tmp_path / "in.png", "wb") as file:
        png16.write(file, values)
    picture = files.read_picture(tmp_path / "in.png")
    assert picture.pixels.dtype == np.uint16
    colours = channels - (channels % 2 == 0)
    np.testing.assert_array_equal(picture.pixels[..., :colours], values[..., :colours])
    if channels % 2 == 0:
        np.testing.assert_array_equal(picture.alpha, values[..., -1])
    files.write_picture(picture, tmp_path / "out.png")
    again = files.read_picture(tmp_path / "out.png")
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert again.mode == picture.mode


def test_16_bit_png_is_what_other_readers_see(tmp_path):
    """Pillow reads the high byte of colour, so that much of the file is checked independently."""
    values = RNG.integers(0, 65536, (20, 30, 4), np.uint16)
    with open(tmp_path / "rgba.png", "wb") as file:
        png16.write(file, values)
    with Image.open(tmp_path / "rgba.png") as image:
        np.testing.assert_array_equal(np.asarray(image), values >> 8)


def test_16_bits_become_8_where_the_format_has_no_more(tmp_path):
    values = np.array([[[0, 257, 65535]] * 8] * 8, np.uint16)
    note = files.write_picture(files.Picture(values), tmp_path / "out.bmp")
    assert "8" in note
    np.testing.assert_array_equal(np.asarray(_open(tmp_path / "out.bmp"))[0, 0], [0, 1, 255])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept(tmp_path, mode, suffix):
    rgba = np.dstack([_smooth(), np.full((32, 48), 255, np.uint8)])
    rgba[4:9, 5:10, 3] = 40
    Image.fromarray(rgba).convert(mode).save(tmp_path / "in.png")
    picture = files.read_picture(tmp_path / "in.png")
    assert picture.mode == mode
    np.testing.assert_array_equal(picture.alpha, rgba[..., 3])
    files.write_picture(picture, tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as out:
        assert out.mode == ("RGBA" if suffix == ".webp" else mode)
        np.testing.assert_array_equal(np.asarray(out.getchannel("A")), rgba[..., 3])


def test_jpeg_drops_alpha_and_says_so(tmp_path):
    picture = files.Picture(_rgb(), alpha=np.zeros((9, 14), np.uint8))
    assert "transparency" in files.write_picture(picture, tmp_path / "out.jpg")
    assert _open(tmp_path / "out.jpg").mode == "RGB"


def test_a_palette_becomes_its_colours(tmp_path):
    image = Image.fromarray(_rgb()).quantize(16)
    image.save(tmp_path / "in.png")
    picture = files.read_picture(tmp_path / "in.png")
    assert picture.mode == "P" and not picture.grey
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_a_transparent_palette_entry_is_alpha(tmp_path):
    image = Image.fromarray(_rgb()).quantize(4)
    image.save(tmp_path / "in.png", transparency=2)
    picture = files.read_picture(tmp_path / "in.png")
    np.testing.assert_array_equal(picture.alpha == 0, np.asarray(image) == 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_16_bits_is_alpha(tmp_path, channels):
    values = RNG.integers(0, 65536, (5, 6, channels), np.uint16)
    values[1, 2] = values[3, 4] = key = np.array([513, 770, 4], np.uint16)[:channels]
    values[0, 0] = key + 1  # differs in the low byte alone
    buffer = BytesIO()
    png16.write(buffer, values)
    data, body = buffer.getvalue(), b"tRNS" + key.astype(">u2").tobytes()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    (tmp_path / "in.png").write_bytes(data[:33] + chunk + data[33:])
    picture = files.read_picture(tmp_path / "in.png")
    np.testing.assert_array_equal(picture.pixels, np.broadcast_to(values, (5, 6, 3)))
    expected = np.full((5, 6), 65535, np.uint16)
    expected[1, 2] = expected[3, 4] = 0
    assert picture.alpha.dtype == np.uint16
    np.testing.assert_array_equal(picture.alpha, expected)
    files.write_picture(picture, tmp_path / "out.png")
    np.testing.assert_array_equal(files.read_picture(tmp_path / "out.png").alpha, expected)


def test_cmyk_becomes_rgb(tmp_path):
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    image.save(tmp_path / "in.jpg")
    picture = files.read_picture(tmp_path / "in.jpg")
    assert picture.mode == "CMYK" and picture.icc is None
    assert np.abs(picture.pixels.astype(int) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_the_rest_of_exif_kept(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "Box"
    path = _save(tmp_path / "in.png", _rgb(), exif=exif)
    picture = files.read_picture(path)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(picture.pixels, expected)
    assert files.check_picture(path) == expected.shape[:2]
    files.write_picture(picture, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as out:
        assert out.size == expected.shape[1::-1]
        assert ExifTags.Base.Orientation not in out.getexif()
        assert out.getexif()[ExifTags.Base.Model] == "Box"


def _exif_of(tag, kind, value):
    """EXIF of a single tag, whose type may be one that no camera gives it."""
    head = b"MM\0*" + struct.pack(">IH", 8, 1)
    count = len(value) if kind in (1, 2) else 1
    inline = len(value) <= 4
    entry = struct.pack(">HHI", tag, kind, count)
    entry += value.ljust(4, b"\0") if inline else struct.pack(">I", 26)
    return b"Exif\0\0" + head + entry + bytes(4) + (b"" if inline else value)


@pytest.mark.parametrize(
    ("kind", "value", "shape"),
    [
        (3, struct.pack(">H", 6), (14, 9)),
        (1, b"\x06", (9, 14)),
        (2, b"6\0", (9, 14)),
        (5, struct.pack(">II", 6, 1), (9, 14)),
        (3, struct.pack(">H", 99), (9, 14)),
        (8, struct.pack(">h", -6), (9, 14)),
    ],
)
def test_only_a_number_from_1_to_8_turns_a_picture(tmp_path, kind, value, shape):
    exif = _exif_of(ExifTags.Base.Orientation, kind, value)
    path = _save(tmp_path / "in.jpg", _rgb(), exif=exif)
    assert files.check_picture(path) == shape
    assert files.read_picture(path).pixels.shape[:2] == shape


@pytest.mark.parametrize(
    ("tag", "kind", "value"),
    [
        (ExifTags.Base.Make, 5, struct.pack(">II", 1, 2)),
        (ExifTags.Base.ResolutionUnit, 1, b"\x02"),
        (ExifTags.Base.XResolution, 2, b"a\0"),
    ],
)
def test_camera_data_of_odd_types_is_dropped_and_told(tmp_path, tag, kind, value):
    path = _save(tmp_path / "in.jpg", _smooth(), exif=_exif_of(tag, kind, value))
    picture = files.read_picture(path)
    assert picture.note == "camera data dropped: it cannot be written back"
    np.testing.assert_array_equal(picture.pixels, np.asarray(_open(path)))
    files.write_picture(picture, tmp_path / "out.jpg")
    assert tag not in _open(tmp_path / "out.jpg").getexif()


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_checked_is_what_is_read(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = _save(tmp_path / f"in{suffix}", _rgb(90, 140), exif=exif)
    shape = (140, 90) if orientation >= 5 else (90, 140)
    assert files.check_picture(path) == shape
    assert files.read_picture(path).pixels.shape[:2] == shape


def test_orientation_turns_16_bit_colour_and_alpha_too(tmp_path):
    values = RNG.integers(0, 65536, (3, 5, 4), np.uint16)
    np.testing.assert_array_equal(decoding.turn(values, 6), np.rot90(values, -1))
    np.testing.assert_array_equal(decoding.turn(values, 8), np.rot90(values, 1))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_colour_profile_is_kept(tmp_path, suffix):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = _save(tmp_path / "in.png", _rgb(), icc_profile=profile)
    files.write_picture(files.read_picture(path), tmp_path / f"out{suffix}")
    assert _open(tmp_path / f"out{suffix}").info["icc_profile"] == profile


def test_16_bit_png_keeps_the_colour_profile(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = files.Picture(np.zeros((2, 2, 3), np.uint16), icc=profile)
    files.write_picture(picture, tmp_path / "out.png")
    assert _open(tmp_path / "out.png").info["icc_profile"] == profile


def _camera():
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Box"
    return exif.tobytes()


@pytest.mark.parametrize(
    ("suffix", "dtype", "dropped"),
    [
        (".jpg", np.uint8, False),
        (".png", np.uint8, False),
        (".png", np.uint16, True),
        (".tif", np.uint8, True),
        (".bmp", np.uint8, True),
    ],
)
def test_dropped_camera_data_is_told(tmp_path, suffix, dtype, dropped):
    picture = files.Picture(np.zeros((8, 8, 3), dtype), exif=_camera())
    note = files.write_picture(picture, tmp_path / f"out{suffix}")
    assert ("camera data dropped" in note) is dropped
    with Image.open(tmp_path / f"out{suffix}") as out:
        assert (ExifTags.Base.Model not in out.getexif()) is dropped


def test_a_dropped_colour_profile_is_told(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    note = files.write_picture(files.Picture(_rgb(), icc=profile), tmp_path / "out.bmp")
    assert note == "colour profile dropped: BMP cannot hold it here"


def test_gif_tells_when_colours_are_lost(tmp_path):
    few = np.array([[[value, 0, 0] for value in range(0, 250, 50)]], np.uint8)
    assert files.write_picture(files.Picture(few), tmp_path / "few.gif") == ""
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=-1)
    assert files.write_picture(files.Picture(grey, mode="L"), tmp_path / "grey.gif") == ""
    np.testing.assert_array_equal(files.read_picture(tmp_path / "grey.gif").pixels, grey)
    many = _rgb(30, 30)
    assert "256 colours" in files.write_picture(files.Picture(many), tmp_path / "many.gif")
    left = files.read_picture(tmp_path / "many.gif").pixels.reshape(-1, 3)
    assert len(np.unique(left, axis=0)) <= 256 < len(np.unique(many.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_gives_its_first_frame_and_a_note(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if suffix == ".webp" else {}
    path = tmp_path / f"in{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    picture = files.read_picture(path)
    assert "3 frames" in picture.note
    np.testing.assert_array_equal(picture.pixels, np.asarray(frames[0]))


def test_luma_weights():
    values = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(files.luma(values), [[76, 150, 29, 255]])
    every = _rgb(300, 5)
    pillow = np.asarray(Image.fromarray(every).convert("L")).astype(int)
    assert np.abs(files.luma(every) - pillow).max() <= 1
    grey = np.repeat(np.arange(65536, dtype=np.uint16)[None, :, None], 3, axis=-1)
    np.testing.assert_array_equal(files.luma(grey), grey[..., 0])


# What is refused


def _bad_files(folder):
    good = folder / "good.png"
    _save(good, _rgb(200, 200))
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture at all")
    (folder / "cut.png").write_bytes(good.read_bytes()[:5000])
    _save(folder / "whole.jpg", _rgb(200, 200))
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:5000])
    _save(folder / "whole.webp", _rgb(200, 200))
    (folder / "cut.webp").write_bytes((folder / "whole.webp").read_bytes()[:2000])
    _save(folder / "whole.tif", _rgb(200, 200))
    (folder / "cut.tif").write_bytes((folder / "whole.tif").read_bytes()[:2000])
    (folder / "head.png").write_bytes(good.read_bytes()[:20])
    (folder / "folder.png").mkdir()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(folder / "float.tif")
    Image.fromarray(np.full((4, 4), 70000, np.int32)).save(folder / "deep.tif")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("missing.png", FileNotFoundError, "no such file"),
        ("folder.png", ValueError, "is a folder"),
        ("empty.png", ValueError, "empty"),
        ("text.jpg", ValueError, "not a picture"),
        ("cut.png", ValueError, "truncated"),
        ("head.png", ValueError, "truncated"),
        ("cut.jpg", ValueError, "truncated"),
        ("cut.webp", ValueError, "truncated"),
        ("cut.tif", ValueError, "truncated"),
        ("float.tif", ValueError, "32-bit floats"),
        ("deep.tif", ValueError, "holds values 70000..70000; expected 0..65535"),
    ],
)
@pytest.mark.parametrize("function", [files.check_picture, files.read_picture])
def test_bad_files_are_refused_in_one_line_that_names_them(
    tmp_path, function, name, error, message
):
    _bad_files(tmp_path)
    with pytest.raises(error, match=message) as caught:
        function(tmp_path / name)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / name}: ") and "\n" not in text


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    # A header that promises 60000x60000 pixels, and next to nothing after it.
    with open(tmp_path / "bomb.png", "wb") as file:
        png16.write(file, np.zeros((1, 1, 3), np.uint16))
    data = bytearray((tmp_path / "bomb.png").read_bytes())
    head = bytearray(data[12:29])
    head[4:12] = (60000).to_bytes(4, "big") * 2
    data[12:29], data[29:33] = head, zlib.crc32(head).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(ValueError, match="60000x60000 are 3600 megapixels; the limit is 200"):
        files.check_picture(tmp_path / "bomb.png")


def test_the_limit_is_ours_and_pillows_own_is_left_alone(tmp_path, monkeypatch):
    path = _save(tmp_path / "in.png", _rgb(10, 10))
    limit = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(files, "MAX_PIXELS", 100)
    assert files.check_picture(path) == (10, 10)
    monkeypatch.setattr(files, "MAX_PIXELS", 99)
    with pytest.raises(ValueError, match="10x10"):
        files.read_picture(path)
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("size", [(5, 5), (5, 100), (100, 7), (1, 1)])
def test_a_jpeg_of_few_pixels_is_sound(tmp_path, size):
    path = _save(tmp_path / "in.jpg", _rgb(*size))
    assert files.check_picture(path) == size


# Writing


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = _save(tmp_path / "out.png", _rgb())
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError)):
        files.write_picture(files.Picture(np.zeros((3, 3, 3), np.int64)), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["out.png"]


def test_a_failed_atomic_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_permissions_are_the_usual_ones(tmp_path):
    path = tmp_path / "a" / "b" / "out.png"
    files.write_picture(files.Picture(_rgb()), path)
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert os.listdir(path.parent) == ["out.png"]


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.pdf"])
def test_unknown_suffixes_are_refused_by_name(tmp_path, name):
    for function in (files.check_output, lambda p: files.write_picture(files.Picture(_rgb()), p)):
        with pytest.raises(ValueError, match=f"{name}.*suffix"):
            function(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_check_output_accepts_what_can_be_written_and_leaves_no_trace(tmp_path):
    source = _save(tmp_path / "in.png", _rgb())
    files.check_output(tmp_path / "new" / "deep" / "out.jpg", [source])
    files.check_output(_save(tmp_path / "old.png", _rgb()), [source])
    assert sorted(os.listdir(tmp_path)) == ["in.png", "old.png"]


def test_check_output_refuses_the_input_under_any_name(tmp_path):
    source = _save(tmp_path / "in.png", _rgb())
    os.symlink(source, tmp_path / "link.png")
    os.link(source, tmp_path / "hard.png")
    for name in ("in.png", "link.png", "hard.png", "../" + tmp_path.name + "/in.png"):
        with pytest.raises(ValueError, match="is the input"):
            files.check_output(tmp_path / name, [source])


def test_check_output_refuses_what_cannot_be_written(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="is a folder"):
        files.check_output(tmp_path / "folder.png")
    with pytest.raises(ValueError, match="cannot be written"):
        files.check_output(tmp_path / "file" / "out.png")
    with pytest.raises(ValueError, match="cannot be written"):
        files.check_output("/proc/out.png")
    with pytest.raises(ValueError, match="20000x3 is too large for .webp"):
        files.check_output(tmp_path / "out.webp", size=(3, 20000))


def test_list_pictures_is_sorted_and_leaves_other_files_out(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "c.webp", "d.tiff", "._a.jpg", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sub").mkdir()
    assert [p.name for p in files.list_pictures(tmp_path)] == ["a.jpg", "b.PNG", "c.webp", "d.tiff"]
