import numpy as np
import pytest

from tfimg import sheet

RED = np.full((30, 60, 3), (255, 0, 0), np.uint8)
BLUE = np.full((50, 60, 3), (0, 0, 255), np.uint8)


def _count(result, colour):
    return int((result == colour).all(-1).sum())


def test_every_picture_is_on_the_sheet_in_full():
    result = sheet.contact_sheet([(RED, "red"), (BLUE, "blue"), (RED, "")], 2, cell_width=100)
    assert result.dtype == np.uint8 and result.shape[2] == 3
    assert _count(result, (255, 0, 0)) == 2 * 30 * 60
    assert _count(result, (0, 0, 255)) == 50 * 60
    assert result.shape[1] == 2 * 100 + 3 * 12


def test_captions_are_drawn_below_their_picture():
    plain = sheet.contact_sheet([(RED, "")], 1, cell_width=200)
    drawn = sheet.contact_sheet([(RED, "noise 35: 17.1 dB")], 1, cell_width=200)
    changed = np.argwhere((plain != drawn).any(-1))
    assert len(changed) > 20
    assert changed[:, 0].min() >= 12 + 30
    assert changed[:, 1].max() < 12 + 200


def test_wide_pictures_shrink_and_long_captions_stay_inside_their_cell():
    wide = np.zeros((100, 1000, 3), np.uint8)
    cells = [(wide, "x" * 500), (wide[:, :50], "")]
    result = sheet.contact_sheet(cells, 2, cell_width=100)
    assert result.shape[1] == 2 * 100 + 3 * 12
    gutter = result[:, 12 + 100 : 12 + 100 + 12]
    assert (gutter == gutter[0, 0]).all()


def test_nothing_makes_no_sheet():
    with pytest.raises(ValueError, match="0 pictures"):
        sheet.contact_sheet([], 2)
