"""The five anchor shapes of SiamRPN, and a grid centred on the crop."""

import numpy as np
import pytest

from sctrpn_jax.geometry import anchors

RATIOS = (0.33, 0.5, 1.0, 2.0, 3.0)


def test_the_five_shapes():
    expected = [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    np.testing.assert_array_equal(anchors.anchor_sizes(RATIOS), expected)


@pytest.mark.parametrize(('map_size', 'search_size'), [(17, 255), (9, 191), (19, 271), (21, 287)])
def test_the_grid_is_symmetric_about_the_crop_centre(map_size, search_size):
    made = anchors.make_anchors(search_size, RATIOS)
    assert made.shape == (map_size * map_size * 5, 4)
    assert made.dtype == np.float32
    centres = made[:, :2].reshape(map_size, map_size, 5, 2)
    np.testing.assert_allclose(centres.mean((0, 1, 2)), search_size / 2)
    np.testing.assert_allclose(centres[::-1, ::-1], search_size - centres)


def test_order_is_row_column_ratio():
    made = anchors.make_anchors(159, RATIOS)
    sizes = anchors.anchor_sizes(RATIOS)
    index = 0
    for row in range(5):
        for column in range(5):
            for ratio in range(5):
                expected = [79.5 + (column - 2) * 8, 79.5 + (row - 2) * 8, *sizes[ratio]]
                np.testing.assert_allclose(made[index], expected)
                index += 1


def test_target_anchors_have_the_targets_shape_at_every_cell():
    target = np.float32([[30, 60], [80, 20]])
    ratios = (0.5, 1.0, 2.0)
    made = np.asarray(anchors.target_anchors(143, ratios, target)).reshape(2, 3, 3, 3, 4)
    for image, row, column, ratio in np.ndindex(2, 3, 3, 3):
        x, y, width, height = made[image, row, column, ratio]
        np.testing.assert_allclose([x, y], [71.5 + (column - 1) * 8, 71.5 + (row - 1) * 8])
        np.testing.assert_allclose(width * height, target[image].prod(), rtol=1e-5)
        np.testing.assert_allclose(height / width, target[image, 1] / target[image, 0] * ratios[ratio], rtol=1e-5)
