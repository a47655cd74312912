"""The resident store gives the streaming pipeline's pairs, and says what it cannot hold."""

import logging

import jax
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import augment, mixture, pipeline, resident

# Both modes cut from the same image with the same code; OpenCV 4 rounds positions to 1/32 pixel, so that a template
# cut for itself and one taken from the middle of a search patch may differ where the picture has an edge.
TOLERANCE = 6


def streamed(mixed, sizes, shares, batch_size=8, count=2, seed=5):
    iterator = iter(pipeline.make_dataset(mixed, batch_size=batch_size, seed=seed, **sizes, **shares))
    batches = [next(iterator) for _ in range(count)]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *batches)


def sampled(store, sizes, shares, count=16, seed=5):
    one = jax.jit(lambda s, p: resident.sample(s, np.uint32(seed), p, template_patch=sizes['template_patch'], **shares))
    return jax.tree.map(np.asarray, one(jax.device_put(store), np.arange(count, dtype=np.uint32)))


def assert_alike(a, b):
    for name in ('positive', 'mirrored', 'position'):
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for name in ('template_box', 'search_box'):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-6, err_msg=name)
    np.testing.assert_array_equal(a['search'], b['search'])
    assert np.abs(a['template'].astype(int) - b['template']).max() <= TOLERANCE
    assert np.abs(a['template'].astype(int) - b['template']).mean() < 0.1


@pytest.mark.parametrize('damage', [False, True])
def test_both_modes_give_the_same_pairs(root, damage, caplog):
    if damage:
        (root / 'video' / 'img' / '2.png').write_bytes(b'damaged')
    mixed = mixture.make_mixture(config.DataConfig(root=str(root)))
    sizes, shares = {'template_patch': 41, 'search_patch': 61}, {'negative_share': 0.3, 'mirror_share': 0.4}
    with caplog.at_level(logging.WARNING, logger='sctrpn_jax.data.resident'):
        store = resident.read_store(mixed, 61, 2**30)
    assert (~store.readable).sum() == damage
    assert ('2.png' in caplog.text) == damage
    assert_alike(streamed(mixed, sizes, shares), sampled(store, sizes, shares))


def test_real_pairs_are_alike_after_augmentation(shared):
    root = shared / 'data' / 'train'
    if not (root / 'raccoon' / 'boxes.csv').is_file():
        pytest.skip('no training data in the shared folder')
    mixed = mixture.make_mixture(config.DataConfig(root=str(root), sources=('raccoon', 'ken')))
    sizes, shares = {'template_patch': 145, 'search_patch': 455}, {'negative_share': 0.1}
    store = resident.read_store(mixed, 455, 2**31)
    a, b = streamed(mixed, sizes, shares), sampled(store, sizes, shares)
    assert_alike(a, b)
    a, b = (jax.tree.map(np.asarray, augment.augment(batch, 5)) for batch in (a, b))
    np.testing.assert_array_equal(a['search'], b['search'])
    np.testing.assert_allclose(a['box'], b['box'], rtol=1e-6)
    assert np.abs(a['template'] - b['template']).max() <= 2 * TOLERANCE  # contrast and saturation stretch differences


def test_hosts_share_the_global_batch():
    whole = resident.positions(8, 3)
    parts = [resident.positions(8, 3, host, 4) for host in range(4)]
    for _ in range(3):
        np.testing.assert_array_equal(np.concatenate([next(part) for part in parts]), next(whole))
    assert next(resident.positions(8, 3)).tolist() == list(range(24, 32))


def test_a_store_over_the_limit_says_what_to_do(root):
    mixed = mixture.make_mixture(config.DataConfig(root=str(root)))
    assert resident.bytes_needed(mixed, 61) == 8 * 61 * 61 * 3
    with pytest.raises(ValueError, match=r'resident needs .* GiB for patches of 61 pixels, .*fewer data\.sources'):
        resident.read_store(mixed, 61, 1000)


def test_a_store_with_many_unreadable_rows_is_refused(root):
    for image in root.glob('stills/img/*'):
        image.unlink()
    mixed = mixture.make_mixture(config.DataConfig(root=str(root), sources=('video',)))
    for image in sorted(root.glob('video/img/*'))[:2]:
        image.write_bytes(b'')
    with pytest.raises(ValueError, match=r'2 of 5 rows cannot be read; the first: .*0\.png'):
        resident.read_store(mixed, 61, 2**30)
