"""Sizes and places of cells, derived from the layers, against the numbers of the papers."""

import pytest

from sctrpn_jax.geometry import grid


def test_the_stride_is_the_product_of_all_strides():
    assert grid.STRIDE == 8


@pytest.mark.parametrize(('image_size', 'sizes'), [(255, (26, 24, 22)), (127, (10, 8, 6)), (271, (28, 26, 24))])
def test_feature_sizes(image_size, sizes):
    assert tuple(grid.feature_size(layer, image_size) for layer in (3, 4, 5)) == sizes


@pytest.mark.parametrize(('search_size', 'cells'), [(127, 1), (135, 2), (191, 9), (255, 17), (271, 19), (287, 21)])
def test_every_layer_gives_the_response_map_the_same_size(search_size, cells):
    assert grid.map_size(search_size) == cells
    for layer in grid.LAYERS:
        template = grid.feature_size(layer, grid.TEMPLATE_SIZE)
        assert grid.feature_size(layer, search_size) - template + 1 == cells


def test_sizes_that_fit_the_grid():
    assert [size for size in range(100, 290) if grid.fits_grid(size)] == list(range(127, 290, 8))
