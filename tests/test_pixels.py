import numpy as np
import pytest

from tfimg import pixels


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([0, 51, 255], np.uint8, [0, 0.2, 1]),
        ([0, 13107, 65535], np.uint16, [0, 0.2, 1]),
        ([0, 0.25, 1], np.float16, [0, 0.25, 1]),
        ([0, 0.2, 1], np.float32, [0, 0.2, 1]),
        ([0, 0.2, 1], np.float64, [0, 0.2, 1]),
        ([-0.3, 0.2, 1.4], np.float32, [-0.3, 0.2, 1.4]),
    ],
)
def test_to_float_maps_each_dtype_to_0_1(values, dtype, expected):
    result = pixels.to_float(np.array([[values]], dtype))
    assert result.dtype == np.float32
    assert result.shape == (1, 1, 3)
    np.testing.assert_allclose(result[0, 0], expected, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_integer_survives_the_round_trip(dtype):
    every = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    every = np.stack([every] * 3, axis=-1)[None]
    back = pixels.restore_dtype(pixels.to_float(every), dtype)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, every)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_come_back_in_their_own_precision(dtype):
    image = np.linspace(0, 1, 12, dtype=dtype).reshape(2, 2, 3)
    back = pixels.restore_dtype(pixels.to_float(image), dtype)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, image, atol=1e-7)


def test_to_uint8_clips_and_rounds_to_the_nearest():
    image = np.array([[[-0.5, 0.4 / 255, 0.6 / 255]], [[254.4 / 255, 254.6 / 255, 1.5]]])
    np.testing.assert_array_equal(
        pixels.to_uint8(image), np.array([[[0, 0, 1]], [[254, 255, 255]]], np.uint8)
    )


def test_to_uint8_takes_integers_too():
    assert pixels.to_uint8(np.full((1, 1, 3), 65535, np.uint16)).max() == 255
    same = np.full((1, 1, 3), 7, np.uint8)
    assert pixels.to_uint8(same) is same


@pytest.mark.parametrize("dtype", [np.int32, np.int64, bool, complex, object, np.int8])
def test_other_dtypes_are_refused_by_name(dtype):
    with pytest.raises(TypeError, match=np.dtype(dtype).name):
        pixels.to_float(np.zeros((2, 2, 3), dtype))


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 2, 1), (2, 2, 4), (1, 1, 2, 2, 3), (0, 2, 3)])
def test_other_shapes_are_refused_by_value(shape):
    with pytest.raises(ValueError, match=str(shape).replace("(", r"\(").replace(")", r"\)")):
        pixels.to_float(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity"), (200, "200"), (-90, "-90")],
)
def test_bad_floats_are_refused_by_value(value, message):
    image = np.zeros((2, 2, 3), np.float32)
    image[1, 0, 2] = value
    with pytest.raises(ValueError, match=message):
        pixels.to_float(image)


def test_restore_dtype_refuses_what_holds_no_picture():
    with pytest.raises(TypeError, match="int32"):
        pixels.restore_dtype(np.zeros((1, 1, 3)), np.int32)


@pytest.mark.parametrize("size", [(9, 12), (4, 9), (5, 5), (1, 1)])
def test_the_middle_of_a_picture_is_a_square_or_all_there_is(size):
    image = np.arange(np.prod(size)).reshape(*size, 1)
    found = pixels.middle(image, 5)
    assert found.shape == (min(size[0], 5), min(size[1], 5), 1)
    rows, columns = np.nonzero(np.isin(image[..., 0], found))
    for places, length in ((rows, size[0]), (columns, size[1])):
        before, after = places.min(), length - 1 - places.max()
        assert after - before in (0, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_is_laid_on_a_background_by_its_alpha(dtype):
    peak = np.iinfo(dtype).max
    picture = np.zeros((1, 3, 4), dtype)
    picture[0, :, 3] = 0, peak // 5, peak  # all of the background, four fifths of it, nothing
    white = pixels.on_background(picture)
    assert white.dtype == dtype
    np.testing.assert_array_equal(white[0, :, 0], [peak, peak // 5 * 4, 0])
    coloured = pixels.on_background(picture, (51, 0, 255))
    np.testing.assert_array_equal(coloured[0, 0], [peak // 5, 0, peak])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_shrunk_pictures_are_means_of_blocks(dtype):
    image = np.random.default_rng(0).integers(0, 256, (65, 33, 3)).astype(dtype)
    small = pixels.shrunk(image, 32)
    assert small.shape == (21, 11, 3) and small.dtype == dtype
    expected = image[3:6, 6:9].astype(np.float64).mean((0, 1))
    np.testing.assert_allclose(small[1, 2], expected, atol=1e-4 if dtype == np.float32 else 0.5)
    assert pixels.shrunk(image, 65) is image
    assert pixels.shrunk(image[:2], 16).shape == (1, 11, 3)
