"""Augmentation: where the box goes, what the jitter does to the pixels, and that a pair does not depend on its batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from sctrpn_jax.data import augment
from sctrpn_jax.geometry import crop

STILL = {
    'template_shift': 0.0,
    'template_scale': 0.0,
    'search_shift': 0.0,
    'search_scale': 0.0,
    'blur': 0.0,
    'color': 0.0,
}
SMALL = {'template_size': 31, 'search_size': 63}


def make_batch(count, search=141, template=41, seed=0):
    rng = np.random.default_rng(seed)
    return {
        'template': rng.integers(0, 256, (count, template, template, 3), dtype=np.uint8),
        'search': rng.integers(0, 256, (count, search, search, 3), dtype=np.uint8),
        'template_box': np.tile(np.float32([template / 2, template / 2, 16, 12]), (count, 1)),
        'search_box': np.tile(np.float32([search / 2, search / 2, 20, 14]), (count, 1)),
        'positive': np.arange(count) % 3 != 0,
        'mirrored': np.arange(count) % 2 == 1,
        'position': np.arange(count, dtype=np.uint32) + 7,
    }


def test_without_jitter_it_is_the_centred_crop():
    batch = make_batch(2)
    made = augment.augment(batch, 0, **SMALL, **STILL)
    assert all(made[name].dtype == jnp.float32 for name in ('template', 'search', 'box'))
    for name, size in (('template', 31), ('search', 63)):
        for i in range(2):
            patch = batch[name][i]
            side = np.float32(size)
            expected = crop.extract(patch, batch[f'{name}_box'][i, :2], side, size, np.zeros(3, np.float32))
            expected = expected[:, ::-1] if i == 1 else expected
            np.testing.assert_allclose(made[name][i], expected, atol=1e-3)
    np.testing.assert_allclose(made['box'], np.tile([31.5, 31.5, 20, 14], (2, 1)), atol=1e-4)
    np.testing.assert_array_equal(made['positive'], batch['positive'])


def test_a_white_rectangle_stays_in_its_box():
    count = 24
    batch = make_batch(count)
    batch['search'][:] = 0
    batch['search'][:, 64:78, 60:80] = 255  # 20 x 14 about (70, 71)
    batch['search_box'][:] = [70, 71, 20, 14]
    made = augment.augment(batch, 3, **SMALL, search_shift=14.0, search_scale=0.3, blur=0.0, color=0.0)
    boxes = np.asarray(made['box'])
    for image, (x, y, width, height) in zip(np.asarray(made['search'])[..., 0] / 255, boxes, strict=True):
        # Sub-pixel size and centre of the white area, from its mass and moments.
        profile_x, profile_y = image.max(0), image.max(1)
        at = np.arange(63) + 0.5
        np.testing.assert_allclose([profile_x.sum(), profile_y.sum()], [width, height], atol=0.35)
        centre = [(profile_x * at).sum() / profile_x.sum(), (profile_y * at).sum() / profile_y.sum()]
        np.testing.assert_allclose(centre, [x, y], atol=0.15)
    moved = boxes[:, :2] - 31.5
    assert (np.abs(moved) <= 14.001).all() and (moved.max(0) > 8).all() and (moved.min(0) < -8).all()
    stretch = np.array([20, 14]) / boxes[:, 2:]
    assert stretch.min() >= 0.699 and stretch.max() <= 1.301 and stretch.std(0).min() > 0.1
    assert abs(np.corrcoef(stretch.T)[0, 1]) < 0.6


def test_mirroring_flips_both_crops_and_the_box():
    batch = make_batch(6)
    plain, flipped = (
        augment.augment({**batch, 'mirrored': np.full(6, mirrored)}, 1, **SMALL, search_shift=10.0, blur=0.0)
        for mirrored in (False, True)
    )
    for name in ('template', 'search'):
        np.testing.assert_allclose(flipped[name], plain[name][:, :, ::-1], atol=0.02)
    np.testing.assert_allclose(flipped['box'], np.asarray(plain['box']) * [-1, 1, 1, 1] + [63, 0, 0, 0], atol=1e-3)


def test_a_pair_does_not_depend_on_its_batch():
    batch = make_batch(6)
    options = {**SMALL, 'search_shift': 10.0, 'blur': 0.5, 'gray': 0.5}
    whole = augment.augment(batch, 5, **options)
    order = np.array([4, 1])
    part = augment.augment(jax.tree.map(lambda leaf: leaf[order], batch), 5, **options)
    for name in whole:
        np.testing.assert_allclose(part[name], whole[name][order], atol=1e-3)
    other = augment.augment(batch, 6, **options)
    assert np.abs(np.asarray(other['box']) - whole['box']).max() > 1
    assert len(np.unique(np.asarray(whole['box'])[:, 0])) == 6


@pytest.mark.parametrize('sigma', [(0.0, 0.0), (1.2, 1.2), (2.0, 0.0), (0.0, 0.7)])
def test_blur_matches_scipy(sigma):
    image = np.random.default_rng(0).uniform(0, 255, (20, 27, 3)).astype(np.float32)
    expected = image
    for axis, width in ((0, sigma[1]), (1, sigma[0])):
        if width:
            expected = scipy.ndimage.gaussian_filter1d(
                expected, width, axis, mode='nearest', radius=augment.BLUR_RADIUS
            )
    np.testing.assert_allclose(augment.gaussian_blur(jnp.asarray(image), jnp.asarray(sigma)), expected, atol=2e-3)


def test_blur_comes_as_often_as_asked():
    keys = jax.random.split(jax.random.key(0), 2000)
    sigma = np.asarray(jax.vmap(lambda key: augment.random_sigma(key, 0.3))(keys))
    blurred = sigma.any(1)
    assert abs(blurred.mean() - 0.3) < 0.05
    motion = (sigma[blurred] == 0).any(1)
    assert abs(motion.mean() - 0.5) < 0.1 and sigma.max() <= augment.MAX_SIGMA


def test_color_zero_is_the_identity_and_color_stays_in_range():
    mean = jnp.array([120.0, 90.0, 60.0])
    matrix, offset = augment.color_transform(jax.random.key(0), mean, 0.0)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(offset, np.zeros(3), atol=1e-4)
    made = augment.augment(make_batch(4), 0, **SMALL, color=3.0)
    for name in ('template', 'search'):
        assert made[name].min() >= 0 and made[name].max() <= 255


def test_contrast_turns_about_the_mean_and_saturation_keeps_grey_grey():
    keys = jax.random.split(jax.random.key(1), 200)
    mean = jnp.array([100.0, 100.0, 100.0])
    matrices, offsets = jax.vmap(lambda key: augment.color_transform(key, mean, 1.0))(keys)
    moved = np.asarray(jnp.einsum('k,nkj->nj', mean, matrices) + offsets) - 100
    # Brightness and the principal axes are all that moves the mean colour.
    assert np.abs(moved).max() < 20 + 25 and 5 < moved.std() < 20
    gains = np.asarray(matrices.sum(1))  # what a grey level is multiplied by, in each channel
    np.testing.assert_allclose(gains, gains[:, :1] * np.ones((1, 3)), atol=1e-5)
    assert gains.min() >= 0.8 - 1e-5 and gains.max() <= 1.2 + 1e-5 and gains.std() > 0.08


def test_gray_takes_the_colour_of_both_crops():
    made = augment.augment(make_batch(32), 0, **SMALL, gray=0.5, blur=0.0)
    colorless = [np.asarray(np.ptp(made[name], axis=-1)).max((1, 2)) < 0.01 for name in ('template', 'search')]
    np.testing.assert_array_equal(*colorless)
    assert 4 < colorless[0].sum() < 28
    assert not (np.ptp(augment.augment(make_batch(4), 0, **SMALL)['search'], axis=-1).max((1, 2)) < 0.01).any()
