import cv2
import numpy as np
import pytest
import scipy.ndimage

from sctrpn_jax.geometry import anchors
from sctrpn_jax.visualization import response_maps


def one_peak(row, column, size=17):
    response = np.zeros((size, size))
    response[row, column] = 0.9
    return response


@pytest.mark.parametrize('size, crop', [(17, 255), (21, 287)])
def test_peak_is_the_centre_of_the_anchors_cell(size, crop):
    grid = anchors.make_anchors(crop, (1.0,)).reshape(size, size, 4)
    for row, column in [(0, 0), (3, 11), (size - 1, 5)]:
        at = response_maps.peak(one_peak(row, column, size), crop)
        np.testing.assert_allclose(at, grid[row, column, :2])


def test_distances_are_euclidean():
    responses = np.stack([one_peak(8, 8), one_peak(8, 11), one_peak(4, 5)])
    np.testing.assert_allclose(response_maps.peak_distances(responses, 255), [0, 24, 40])
    np.testing.assert_allclose(response_maps.peak_distances(responses[:1], 255, np.array([130.5, 123.5])), [5])


def test_upsampling_matches_scipy_and_stops_at_the_last_cell():
    response = np.random.default_rng(0).random((17, 17))
    full = response_maps.upsample(response, 255)
    cells = (np.arange(255) + 0.5 - 127.5) / 8 + 8
    rows, columns = np.meshgrid(cells, cells, indexing='ij')
    expected = scipy.ndimage.map_coordinates(response, [rows, columns], order=1, mode='nearest')
    inside = (np.abs(rows - 8) <= 8.5) & (np.abs(columns - 8) <= 8.5)
    np.testing.assert_allclose(full[inside], expected[inside])
    assert np.isnan(full[~inside]).all()
    assert inside.sum() == 137**2


def test_figure_marks_the_peaks():
    crop = np.full((255, 255, 3), 120, np.uint8)
    responses = np.stack([one_peak(8, 8), one_peak(2, 14), one_peak(12, 3)])
    figure = response_maps.response_figure(crop, responses, box=np.array([100, 100, 50, 60]))
    assert figure.dtype == np.uint8
    assert figure.shape == (255 + 20, 4 * 255 + 3 * 4, 3)
    red = (figure[:255].astype(int) - figure[:255, :, 1:2].astype(int))[..., 0] > 150
    assert not red[:, :255].any()
    for i, response in enumerate(responses):
        panel = red[:, (i + 1) * 259 : (i + 1) * 259 + 255]
        rows, columns = np.nonzero(panel)
        assert len(rows) > 20
        np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], response_maps.peak(response, 255), atol=1)


def test_flat_maps_float_crops_and_labels():
    figure = response_maps.response_figure(np.full((127, 127, 3), 300.0), np.zeros((1, 5, 5)), labels=['none'])
    assert figure.shape == (147, 127 * 2 + 4, 3)


def test_bad_shapes_are_refused():
    crop = np.zeros((255, 255, 3), np.uint8)
    with pytest.raises(ValueError, match=r'crop of shape \(255, 254, 3\)'):
        response_maps.response_figure(crop[:, 1:], np.zeros((3, 17, 17)))
    with pytest.raises(ValueError, match=r'maps of shape \(17, 17\)'):
        response_maps.response_figure(crop, np.zeros((17, 17)))
    with pytest.raises(ValueError, match='2 labels for 3'):
        response_maps.response_figure(crop, np.zeros((3, 17, 17)), labels=['a', 'b'])


def test_png_holds_the_picture(tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (9, 11, 3), np.uint8)
    response_maps.write_png(tmp_path / 'new' / 'a.png', picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'new' / 'a.png'))[..., ::-1], picture)
    assert len(list((tmp_path / 'new').iterdir())) == 1
