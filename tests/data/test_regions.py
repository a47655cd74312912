"""Regions of images as targets: inside the image, repeatable, with contrast; drawn in their share."""

import jax
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import mixture, pairs, regions


class Picture:
    """One image, noise in its right half and grey in its left, with two boxes."""

    name, refused = 'picture', ()
    starts, frame, image = np.array([0, 1, 2]), np.zeros(2, np.int64), np.zeros(2, np.int64)

    def __init__(self, seed=0):
        self.picture = np.full((120, 200, 3), 90, np.uint8)
        self.picture[:, 100:] = np.random.default_rng(seed).integers(0, 255, (120, 100, 1))

    def read(self, row):
        return self.picture, np.array([40, 40, 20, 30], np.float32)


def test_regions_are_inside_repeatable_and_have_contrast():
    source, drawn = regions.RegionSource(Picture()), []
    for row in range(len(source.frame)):
        image, box = source.read(row)
        np.testing.assert_array_equal(box, source.read(row)[1])
        assert (box[:2] >= 0).all() and (box[:2] + box[2:] <= [200, 120]).all()
        assert 0.2 < np.prod(box[2:]) / 600 < 4.1
        assert box[0] + box[2] > 100, 'flat'
        drawn.append(tuple(box))
    assert len(source.frame) == 2 * regions.PER_ROW and len(set(drawn)) == len(drawn)


def test_flat_pictures_and_tiny_ones_still_give_a_box():
    picture = Picture()
    for shape in ((50, 60, 3), (6, 5, 3)):
        picture.picture = np.zeros(shape, np.uint8)
        _, box = regions.RegionSource(picture).read(0)
        assert (box[2:] > 0).all() and (box[:2] + box[2:] <= [shape[1], shape[0]]).all()


def test_negatives_avoid_the_image_that_a_region_is_cut_from():
    base, other = Picture(), Picture(1)
    sources = [base, other, regions.RegionSource(base)]
    index = pairs.make_index(sources, [1, 1, 1], [(1, 1)] * 3)
    assert index.image.tolist() == [0, 0, 1, 1, *[0] * 2 * regions.PER_ROW]
    draw = jax.vmap(lambda position: pairs.draw_pair(index, 0, position, 0, negative_share=1.0))
    choice = draw(np.arange(400, dtype=np.uint32))
    negative = ~choice.positive
    assert negative.any()
    assert (index.image[choice.template] != index.image[choice.search])[negative].all()


def test_share(root):
    made = mixture.make_mixture(config.DataConfig(root=str(root), region_share=0.25))
    assert [source.name for source in made.sources] == ['stills', 'video', 'regions of stills', 'regions of video']
    assert sum(made.weights[2:]) == pytest.approx(0.25) and sum(made.weights) == pytest.approx(1)
    index = made.index()
    choice = jax.vmap(lambda position: pairs.draw_pair(index, 0, position, 0))(np.arange(4000, dtype=np.uint32))
    assert np.mean(choice.template >= 8) == pytest.approx(0.25, abs=0.03)
    regional = (choice.template >= 8) & choice.positive
    assert (choice.template == choice.search)[regional].all()
