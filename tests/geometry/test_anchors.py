"""The five anchor shapes of SiamRPN, and a grid centred on the crop."""

import numpy as np
import pytest

from sctrpn_jax.geometry import anchors

RATIOS = (0.33, 0.5, 1.0, 2.0, 3.0)


def test_the_five_shapes():
    expected = [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    np.testing.assert_array_equal(anchors.anchor_sizes(8, 8.0, RATIOS), expected)


def test_scale_multiplies_every_shape():
    np.testing.assert_array_equal(anchors.anchor_sizes(8, 4.0, RATIOS) * 2, anchors.anchor_sizes(8, 8.0, RATIOS))


@pytest.mark.parametrize(('map_size', 'search_size'), [(17, 255), (22, 255), (19, 271), (20, 287)])
def test_the_grid_is_symmetric_about_the_crop_centre(map_size, search_size):
    made = anchors.make_anchors(map_size, search_size, 8, 8.0, RATIOS)
    assert made.shape == (map_size * map_size * 5, 4)
    assert made.dtype == np.float32
    centres = made[:, :2].reshape(map_size, map_size, 5, 2)
    np.testing.assert_allclose(centres.mean((0, 1, 2)), search_size / 2)
    np.testing.assert_allclose(centres[::-1, ::-1], search_size - centres)


def test_order_is_row_column_ratio():
    made = anchors.make_anchors(5, 101, 8, 8.0, RATIOS)
    sizes = anchors.anchor_sizes(8, 8.0, RATIOS)
    index = 0
    for row in range(5):
        for column in range(5):
            for ratio in range(5):
                expected = [50.5 + (column - 2) * 8, 50.5 + (row - 2) * 8, *sizes[ratio]]
                np.testing.assert_allclose(made[index], expected)
                index += 1
