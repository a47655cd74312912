"""Augmentation: where the box goes, what the jitter does to the pixels, no influence of the batch on a pair."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from sctrpn_jax.data import augment
from sctrpn_jax.geometry import crop

# All options stand in every call, so that one compilation serves the file.
OPTIONS = {
    'template_size': 31,
    'search_size': 63,
    'template_shift': 3.0,
    'template_scale': 0.05,
    'search_shift': 10.0,
    'search_scale': 0.18,
    'zoom': 0.0,
    'blur': 0.2,
    'low_resolution': 0.0,
    'color': 1.0,
    'gray': 0.0,
}
STILL = {
    'template_shift': 0.0,
    'template_scale': 0.0,
    'search_shift': 0.0,
    'search_scale': 0.0,
    'zoom': 0.0,
    'blur': 0.0,
    'color': 0.0,
}
COUNT = 24
CROPS = ('template', 'search')


def make_batch(count=COUNT, search=141, template=41, seed=0):
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


def run(batch, seed, **options):
    return augment.augment(batch, seed, **{**OPTIONS, **options})


def test_without_jitter_it_is_the_centred_crop():
    batch = make_batch()
    made = run(batch, 0, **STILL)
    assert all(made[name].dtype == jnp.float32 for name in ('template', 'search', 'box'))
    for name, size in (('template', 31), ('search', 63)):
        for i in range(4):
            patch = batch[name][i]
            side = np.float32(size)
            expected = crop.extract(patch, batch[f'{name}_box'][i, :2], side, size, np.zeros(3, np.float32))
            expected = expected[:, ::-1] if i % 2 else expected
            np.testing.assert_allclose(made[name][i], expected, atol=5e-3)
    np.testing.assert_allclose(made['box'], np.tile([31.5, 31.5, 20, 14], (COUNT, 1)), atol=1e-4)
    np.testing.assert_array_equal(made['target'], np.tile([16, 12], (COUNT, 1)))
    np.testing.assert_array_equal(made['positive'], batch['positive'])


def test_a_white_rectangle_stays_in_its_box():
    batch = make_batch()
    batch['search'][:] = 0
    batch['search'][:, 64:78, 60:80] = 255  # 20 x 14 about (70, 71)
    batch['search_box'][:] = [70, 71, 20, 14]
    made = run(batch, 3, search_shift=14.0, search_scale=0.3, blur=0.0, color=0.0)
    boxes = np.asarray(made['box'])
    for image, (x, y, width, height) in zip(np.asarray(made['search'])[..., 0] / 255, boxes, strict=True):
        # Sub-pixel size and centre of the white area, from its mass and moments.
        profile_x, profile_y = image.max(0), image.max(1)
        at = np.arange(63) + 0.5
        np.testing.assert_allclose([profile_x.sum(), profile_y.sum()], [width, height], atol=0.35)
        centre = [(profile_x * at).sum() / profile_x.sum(), (profile_y * at).sum() / profile_y.sum()]
        np.testing.assert_allclose(centre, [x, y], atol=0.15)
    shown = np.float32([16, 12]) / np.asarray(run(batch, 3, template_scale=0.2)['target'])
    assert 0.799 <= shown.min() < 0.9 and 1.1 < shown.max() <= 1.201
    moved = boxes[:, :2] - 31.5
    assert (np.abs(moved) <= 14.001).all() and (moved.max(0) > 8).all() and (moved.min(0) < -8).all()
    stretch = np.array([20, 14]) / boxes[:, 2:]
    assert stretch.min() >= 0.699 and stretch.max() <= 1.301 and stretch.std(0).min() > 0.1
    assert abs(np.corrcoef(stretch.T)[0, 1]) < 0.6


def test_mirroring_flips_both_crops_and_the_box():
    batch = make_batch()
    plain, flipped = (
        run({**batch, 'mirrored': np.full(COUNT, mirrored)}, 1, search_shift=10.0, blur=0.0, color=0.0)
        for mirrored in (False, True)
    )
    for name in ('template', 'search'):
        np.testing.assert_allclose(flipped[name], plain[name][:, :, ::-1], atol=0.02)
    np.testing.assert_allclose(flipped['box'], np.asarray(plain['box']) * [-1, 1, 1, 1] + [63, 0, 0, 0], atol=1e-3)


def test_a_pair_does_not_depend_on_its_batch():
    batch = make_batch()
    options = {'search_shift': 10.0, 'blur': 0.5, 'gray': 0.5}
    whole = run(batch, 5, **options)
    order = np.random.default_rng(1).permutation(COUNT)
    part = run(jax.tree.map(lambda leaf: leaf[order], batch), 5, **options)
    for name in whole:
        np.testing.assert_allclose(part[name], whole[name][order], atol=1e-3)
    other = run(batch, 6, **options)
    assert np.abs(np.asarray(other['box']) - whole['box']).max() > 1
    assert len(np.unique(np.asarray(whole['box'])[:, 0])) == COUNT


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


def test_zoom_scales_both_axes_alike_and_evenly_in_the_logarithm():
    batch = make_batch(count=400)
    zoomed = np.asarray(run(batch, 5, **{**STILL, 'zoom': 0.5})['box'])
    factors = np.log(zoomed[:, 2:] / batch['search_box'][:, 2:])
    np.testing.assert_allclose(factors[:, 0], factors[:, 1], atol=1e-5)
    assert np.abs(factors).max() <= 0.5 + 1e-5
    # Uniform in +-0.5: mean 0, standard deviation 0.289; of 400 the standard errors are 0.014 and 0.007.
    np.testing.assert_allclose([factors[:, 0].mean(), factors[:, 0].std()], [0, 0.289], atol=0.05)
    np.testing.assert_allclose(zoomed[:, :2], 31.5, atol=1e-4)


def test_low_resolution_blurs_both_crops_alike():
    batch = make_batch(200)
    plain, coarse = (run(batch, 2, **STILL, low_resolution=share) for share in (0.0, 0.4))
    # White noise loses most of its contrast in any blur.
    kept = {name: np.asarray(coarse[name]).std((1, 2, 3)) / np.asarray(plain[name]).std((1, 2, 3)) for name in CROPS}
    blurred = {name: ratio < 0.95 for name, ratio in kept.items()}
    assert 0.3 < blurred['search'].mean() < 0.5
    np.testing.assert_array_equal(blurred['template'], blurred['search'])
    np.testing.assert_allclose(kept['template'], kept['search'], atol=0.06)
    sharp = ~blurred['search']
    np.testing.assert_allclose(np.asarray(coarse['template'])[sharp], np.asarray(plain['template'])[sharp], atol=1e-3)


def test_blur_comes_as_often_as_asked():
    drawn = np.random.default_rng(0).uniform(size=(2000, 3)).astype(np.float32)
    sigma = np.asarray(jax.vmap(lambda row: augment.blur_sigma(row, 0.3))(drawn))
    blurred = sigma.any(1)
    assert abs(blurred.mean() - 0.3) < 0.05
    motion = (sigma[blurred] == 0).any(1)
    assert abs(motion.mean() - 0.5) < 0.1 and sigma.max() <= augment.MAX_SIGMA


def test_color_zero_is_the_identity_and_color_stays_in_range():
    drawn, axes, mean = np.float32([[1, -1, 0.5], [2, 1, -1], [120, 90, 60]])
    matrix, offset = augment.color_transform(drawn, axes, mean, 0.0)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(offset, np.zeros(3), atol=1e-4)
    made = run(make_batch(), 0, color=3.0)
    for name in ('template', 'search'):
        assert made[name].min() >= 0 and made[name].max() <= 255


@pytest.mark.parametrize('brightness, contrast, saturation', [(0.5, 0, 0), (0, -1, 0), (0, 0, 0.7), (-1, 0.4, -0.6)])
def test_color_matches_its_steps_done_one_by_one(brightness, contrast, saturation):
    image = np.random.default_rng(2).uniform(60, 180, (6, 5, 3)).astype(np.float32)
    grey = image @ np.float32([0.299, 0.587, 0.114])
    expected = grey[..., None] + (image - grey[..., None]) * (1 + 0.2 * saturation)
    expected = (expected - grey.mean()) * (1 + 0.2 * contrast) + grey.mean() + 20 * brightness
    drawn = np.float32([brightness, contrast, saturation])
    change = augment.color_transform(drawn, np.zeros(3, np.float32), image.mean((0, 1)), 1.0)
    np.testing.assert_allclose(augment.recolor(jnp.asarray(image), *change), expected, atol=1e-2)


def test_the_axes_shift_colours_as_in_alexnet():
    axes = np.random.default_rng(3).normal(size=(4000, 3)).astype(np.float32)
    _, shift = jax.vmap(lambda row: augment.color_transform(jnp.zeros(3), row, jnp.zeros(3), 1.0))(axes)
    vectors = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    values = 25.5 * np.array([0.2175, 0.0188, 0.0045])
    np.testing.assert_allclose(np.cov(np.asarray(shift).T), vectors @ np.diag(values**2) @ vectors.T, rtol=0.1)


def test_gray_takes_the_colour_of_both_crops():
    made = run(make_batch(), 0, gray=0.5, blur=0.0)
    colorless = [np.asarray(np.ptp(made[name], axis=-1)).max((1, 2)) < 0.01 for name in ('template', 'search')]
    np.testing.assert_array_equal(*colorless)
    assert 4 < colorless[0].sum() < 20
    assert not (np.ptp(run(make_batch(), 0)['search'], axis=-1).max((1, 2)) < 0.01).any()
