from itertools import pairwise

import numpy as np
import pytest

from tfimg import pixels, tiling

SIZES = [(1, 1), (3, 5000), (5000, 3), (7, 9), (64, 64), (65, 130), (131, 67), (200, 333)]
SMALL = {"tile": 64, "overlap": 16}


def _picture(height, width, dtype=np.uint8):
    rng = np.random.default_rng(height * width)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, 3), dtype, endpoint=True)


def _blur(image):
    """5x5 box blur of (1, h, w, 3), mirrored at the edges."""
    h, w = image.shape[1:3]
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    return sum(padded[:, y : y + h, x : x + w] for y in range(5) for x in range(5)) / 25


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", SIZES)
def test_the_identity_gives_the_picture_back(size, dtype):
    image = _picture(*size, dtype)
    result = tiling.restore_tiled(lambda x: x, image, **SMALL)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("size", [(65, 130), (131, 67), (200, 333), (3, 5000)])
def test_a_local_filter_gives_the_same_tiled_as_whole(size):
    image = pixels.to_float(_picture(*size)).astype(np.float64)
    whole = tiling.restore_tiled(_blur, image, tile=8192, overlap=64)
    tiled = tiling.restore_tiled(_blur, image, **SMALL)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)
    height, width = (side // 8 * 8 for side in size)
    if height and width:  # away from the mirrored fill, whole means plain NumPy
        expected = _blur(image[None])[0]
        np.testing.assert_allclose(
            tiled[: height - 2, : width - 2], expected[: height - 2, : width - 2], atol=1e-6
        )


@pytest.mark.parametrize("size", SIZES)
def test_tiles_share_one_shape_of_multiples_and_bounded_area(size):
    shapes = set()

    def look(tile):
        shapes.add(tile.shape)
        assert tile.dtype == np.float32
        return tile

    tiling.restore_tiled(look, _picture(*size), **SMALL)
    ((batch, height, width, channels),) = shapes
    assert (batch, channels) == (1, 3)
    assert height % 8 == 0 and width % 8 == 0
    assert height * width <= 64 * 64


@pytest.mark.parametrize(("fixed", "side"), [(False, 56), (True, 64)])
def test_tiles_are_no_larger_than_they_must_be(fixed, side):
    """Three of 56 that share 16 with the next cover 136 pixels, which 130 are filled up to."""
    seen = []

    def look(tile):
        seen.append(tile.shape[1:3])
        return tile

    image = _picture(130, 130)
    result = tiling.restore_tiled(look, image, fixed=fixed, **SMALL)
    assert seen == [(side, side)] * 9
    np.testing.assert_array_equal(result, image)


def test_seams_are_smooth_where_tiles_disagree():
    levels = iter(np.tile([0.2, 0.8], 100))
    image = np.full((64, 400, 3), 0.5, np.float32)
    result = tiling.restore_tiled(lambda x: np.full_like(x, next(levels)), image, **SMALL)
    assert result.min() == pytest.approx(0.2) and result.max() == pytest.approx(0.8)
    # An overlap of 16 fades across 8 pixels: no step larger than 0.6 / 8.
    assert np.abs(np.diff(result, axis=1)).max() <= 0.6 / 8 + 1e-6


@pytest.mark.parametrize("size", [64, 65, 100, 130, 999])
def test_weights_sum_to_one_at_every_pixel(size):
    starts, weights = tiling._layout(size, 64, 16, 8)
    total = np.zeros(-(-size // 8) * 8)
    for start, weight in zip(starts, weights, strict=True):
        assert start % 8 == 0
        assert weight.min() >= 0
        total[start : start + 64] += weight
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert all(b - a <= 64 - 16 for a, b in pairwise(starts))


def test_the_mask_travels_with_the_picture():
    image = _picture(131, 150)
    mask = np.random.default_rng(0).random((131, 150)) > 0.5
    result = tiling.restore_tiled(lambda x: x[..., :3] * x[..., 3:], image, mask=mask, **SMALL)
    np.testing.assert_array_equal(result, image * mask[..., None])


def test_finish_sees_matching_strips_and_never_the_whole_picture():
    image = _picture(200, 70)
    rows = []

    def finish(restored, source):
        assert restored.shape == source.shape
        rows.append(len(source))
        return restored + source

    result = tiling.restore_tiled(lambda x: 0 * x, image, finish=finish, **SMALL)
    np.testing.assert_array_equal(result, image)
    assert sum(rows) == 200 and max(rows) <= 64


def test_progress_counts_every_tile():
    calls = []
    tiling.restore_tiled(
        lambda x: x, _picture(130, 70), progress=lambda *c: calls.append(c), **SMALL
    )
    assert calls == [(i + 1, len(calls)) for i in range(len(calls))]
    assert len(calls) == 6


def test_bad_arguments_are_refused_by_value():
    image = _picture(9, 9)
    with pytest.raises(ValueError, match="tile is 60 and overlap 16"):
        tiling.restore_tiled(lambda x: x, image, tile=60, overlap=16)
    with pytest.raises(ValueError, match=r"\(9, 8\)"):
        tiling.restore_tiled(lambda x: x, image, mask=np.ones((9, 8)))
    with pytest.raises(ValueError, match=r"255\.\.255"):
        tiling.restore_tiled(lambda x: x, image, mask=np.full((9, 9), 255, np.uint8))
    with pytest.raises(ValueError, match=r"\(1, 9, 9, 3\)"):
        tiling.restore_tiled(lambda x: x, image[None])
    with pytest.raises(ValueError, match=r"\(1, 8, 16, 3\)"):
        tiling.restore_tiled(lambda x: x[:, :8], image)
    with pytest.raises(TypeError, match="int32"):
        tiling.restore_tiled(lambda x: x, image.astype(np.int32))
