import numpy as np
import pytest

from tfimg import postprocess


def _pictures():
    rng = np.random.default_rng(0)
    return rng.random((2, 9, 7, 3), np.float32)


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_strength_is_a_straight_line_between_source_and_restored(strength):
    source, restored = _pictures()
    result = postprocess.postprocess(restored, source, strength)
    np.testing.assert_allclose(result, (1 - strength) * source + strength * restored, atol=1e-6)


def test_the_result_is_clipped():
    source = np.full((1, 2, 3), 0.5, np.float32)
    restored = np.array([[[-1, 0.5, 2], [1, 0, 9]]], np.float32)
    np.testing.assert_array_equal(
        postprocess.postprocess(restored, source), [[[0, 0.5, 1], [1, 0, 1]]]
    )


@pytest.mark.parametrize("strength", [7, -0.1, float("nan")])
def test_a_strength_out_of_range_is_refused_by_value(strength):
    source, restored = _pictures()
    with pytest.raises(ValueError, match=f"strength is {strength:g}; expected 0..1"):
        postprocess.postprocess(restored, source, strength)


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 2, 3\).*\(3, 2, 3\)"):
        postprocess.postprocess(np.zeros((2, 2, 3)), np.zeros((3, 2, 3)))


@pytest.mark.parametrize("height", [4, 256, 600])
def test_matched_colours_have_the_mean_and_spread_of_the_source(height):
    rng = np.random.default_rng(1)
    source = (0.5 + 0.1 * rng.standard_normal((height, 8, 3))).astype(np.float32)
    source[..., 2] += 0.1
    picture = (0.3 + 0.05 * rng.standard_normal((height, 8, 3))).astype(np.float32)
    matched = postprocess.match_colours(picture, source)
    np.testing.assert_allclose(matched.mean((0, 1)), source.mean((0, 1)), atol=1e-4)
    np.testing.assert_allclose(matched.std((0, 1)), source.std((0, 1)), atol=1e-4)


@pytest.mark.parametrize("height", [4, 256, 600])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_mean_change_is_that_of_whole_pictures(height, dtype):
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (2, height, 8, 3), np.uint8)
    expected = np.abs(pictures[0] / 255 - pictures[1] / 255).mean()
    if dtype is not np.uint8:
        pictures = (pictures / 255).astype(dtype)
    assert postprocess.mean_change(*pictures) == pytest.approx(expected, rel=1e-6)


def test_matching_keeps_the_dtype_and_survives_a_flat_picture():
    source = np.random.default_rng(2).integers(0, 256, (5, 6, 3), np.uint8)
    matched = postprocess.match_colours(np.full((5, 6, 3), 9, np.uint8), source)
    assert matched.dtype == np.uint8
    np.testing.assert_allclose(matched.mean((0, 1)), source.mean((0, 1)), atol=0.51)
