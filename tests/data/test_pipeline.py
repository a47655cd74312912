"""The stream of patches: exact geometry, exact resume, and the same pairs for any hosts and workers."""

import logging

import jax
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import mixture, pipeline
from sctrpn_jax.geometry import crop

SIZES = {'template_patch': 41, 'search_patch': 61}


def assert_same(a, b):
    assert sorted(a) == sorted(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def take(dataset, count):
    iterator = iter(dataset)
    batches = [next(iterator) for _ in range(count)]
    if hasattr(iterator, 'close'):
        iterator.close()
    return batches


def dataset_of(root, **options):
    return pipeline.make_dataset(
        mixture.make_mixture(config.DataConfig(root=str(root))),
        **{**SIZES, 'batch_size': 4, 'mirror_share': 0.5, **options},
    )


def test_records_have_the_stated_form(root):
    batch = take(dataset_of(root), 1)[0]
    form = {name: (value.shape, value.dtype.name) for name, value in batch.items()}
    assert form == {
        'template': ((4, 41, 41, 3), 'uint8'),
        'search': ((4, 61, 61, 3), 'uint8'),
        'template_box': ((4, 4), 'float32'),
        'search_box': ((4, 4), 'float32'),
        'positive': ((4,), 'bool'),
        'mirrored': ((4,), 'bool'),
        'position': ((4,), 'uint32'),
    }
    np.testing.assert_array_equal(batch['position'], [0, 1, 2, 3])
    np.testing.assert_array_equal(batch['search_box'][:, :2], np.full((4, 2), 30.5))


def test_resume_is_exact(root):
    dataset = dataset_of(root, seed=3)
    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    state = iterator.get_state()
    expected = [next(iterator) for _ in range(3)]
    fresh = iter(dataset_of(root, seed=3))
    fresh.set_state(state)
    for batch in expected:
        assert_same(next(fresh), batch)
    assert not np.array_equal(take(dataset_of(root, seed=4), 1)[0]['search'], take(dataset, 1)[0]['search'])


def test_hosts_together_hold_the_global_batch(root):
    whole = take(dataset_of(root), 2)
    for count in (2, 4):
        parts = [take(dataset_of(root, process_index=i, process_count=count), 2) for i in range(count)]
        for step, batch in enumerate(whole):
            assert_same(jax.tree.map(lambda *leaves: np.concatenate(leaves), *[part[step] for part in parts]), batch)


def test_workers_give_the_same_stream_and_resume(root):
    plain = take(dataset_of(root), 5)
    iterator = iter(dataset_of(root, num_workers=2))
    try:
        for batch in plain[:3]:
            assert_same(next(iterator), batch)
        state = iterator.get_state()
        assert_same(next(iterator), plain[3])
        iterator.set_state(state)
        assert_same(next(iterator), plain[3])
        assert_same(next(iterator), plain[4])
    finally:
        iterator.close()


def test_a_damaged_image_is_named_once_and_its_pair_replaced(root, caplog):
    sources = mixture.make_mixture(config.DataConfig(root=str(root)))

    def draw():
        record = pipeline.MakeRecord(sources, 0, {'negative_share': 0.3}, 41, 61, 127, 4)
        return [record(position) for position in range(24)]

    before = draw()
    (root / 'video' / 'img' / '2.png').write_bytes(b'damaged')
    with caplog.at_level(logging.WARNING, logger='sctrpn_jax.data.pipeline'):
        after = draw()
    assert len([entry for entry in caplog.records if '2.png' in entry.getMessage()]) == 1
    for a, b in zip(after, draw(), strict=True):
        assert_same(a, b)
    same = [np.array_equal(a['search'], b['search']) for a, b in zip(after, before, strict=True)]
    assert 0 < sum(same) < len(same)


def test_nothing_readable_ends_with_a_reason(root):
    sources = mixture.make_mixture(config.DataConfig(root=str(root)))
    for image in root.glob('*/img/*'):
        image.unlink()
    record = pipeline.MakeRecord(sources, 0, {}, 41, 61, 4)
    with pytest.raises(ValueError, match=r'no readable pair at position 0 in 16 draws; the last: .*png'):
        record(0)


def test_the_batch_is_split_among_hosts(root):
    with pytest.raises(ValueError, match='positive multiple of 3 processes'):
        dataset_of(root, process_count=3)


def test_real_pairs(shared):
    root = shared / 'data' / 'train'
    if not (root / 'davis2016_train' / 'boxes.csv').is_file():
        pytest.skip('no training data in the shared folder')
    data = config.DataConfig(root=str(root), sources=('davis2016_train', 'penn_fudan', 'eth80'))
    batch = take(
        pipeline.make_dataset(mixture.make_mixture(data), template_patch=145, search_patch=455, batch_size=8), 1
    )[0]
    side = crop.context_side(batch['template_box'][:, 2:])
    np.testing.assert_allclose(side, 127, rtol=1e-4)
    assert (batch['template'].std((1, 2, 3)) > 2).all()
