"""A prepared set gives training the pairs that the folder it was made from gives."""

import pickle

import jax
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import mixture, pipeline, resident
from sctrpn_jax.data.prepared import prepare, source, verify


@pytest.fixture
def data_root(stills, tmp_path):
    """A data root with the folder itself, the set of whole images and the set of crops."""
    data = tmp_path / 'data'
    for crop in (None, 511):
        prepare.prepare(prepare.Job('folder', str(stills), str(data), crop, 'pets'), [], 0)
    (data / 'plain').symlink_to(stills)
    return data


def batch_of(root, name, feeding='streaming'):
    mixed = mixture.make_mixture(config.DataConfig(root=str(root), sources=(name,)))
    if feeding == 'resident':
        mixed.sources[0].rows, mixed.sources[0].starts = mixed.sources[0].rows[:40], np.arange(41)
        mixed.sources[0].frame, mixed.sources[0].image = (
            x[:40] for x in (mixed.sources[0].frame, mixed.sources[0].image)
        )
        store = resident.read_store(mixed, 455, 2**30)
        return resident.sample(store, np.uint32(3), np.arange(6, dtype=np.uint32), template_patch=145)
    iterator = iter(pipeline.make_dataset(mixed, template_patch=145, search_patch=455, batch_size=6, seed=3))
    batch = next(iterator)
    iterator.close()
    return batch


def test_whole_images_give_the_pairs_of_their_folder(data_root):
    # The set keeps the order of the images; the folder's own source has the second target of image 7 last.
    a, b = batch_of(data_root, 'pets'), batch_of(data_root, 'plain')
    jax.tree.map(lambda x, y: (x.shape, x.dtype) == (y.shape, y.dtype) or pytest.fail('other form'), a, b)
    t = source.PreparedSplit(data_root / 'pets' / '1.0.0', 'train').table
    prepared = source.PreparedSource(data_root / 'pets' / '1.0.0')
    plain = mixture.make_mixture(config.DataConfig(root=str(data_root), sources=('plain',))).sources[0]
    for row in (0, 5, 8, 100):
        image, box = prepared.read(row)
        same = plain.tracks.index(t.targets[row])
        expected, expected_box = plain.read(same)
        np.testing.assert_array_equal(image, expected)
        np.testing.assert_array_equal(box, expected_box)


def test_crops_give_nearly_the_same_patches(data_root):
    a, b = batch_of(data_root, 'pets'), batch_of(data_root, 'pets_crop511')
    np.testing.assert_allclose(a['search_box'], b['search_box'], rtol=1e-5)
    assert np.abs(a['search'].astype(int) - b['search']).mean() < 3  # JPEG of quality 95
    assert np.abs(a['template'].astype(int) - b['template']).mean() < 3


def test_both_feeding_modes_read_prepared_sets(data_root):
    batch = batch_of(data_root, 'pets_crop511', 'resident')
    assert batch['search'].shape == (6, 455, 455, 3) and (np.asarray(batch['search']).std((1, 2, 3)) > 5).all()


def test_sources_travel_to_workers(data_root):
    opened = source.PreparedSource(data_root / 'pets' / '1.0.0')
    first = opened.read(3)[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened)).read(3)[0], first)


def test_what_is_not_there_is_named(data_root):
    with pytest.raises(ValueError, match=r"has no split 'val'; its splits are train"):
        mixture.make_mixture(config.DataConfig(root=str(data_root), sources=('pets:split=val',)))
    with pytest.raises(ValueError, match=r'none of 601 rows has a box with sides of 99 pixels'):
        source.PreparedSource(data_root / 'pets' / '1.0.0', min_side=99)
    with pytest.raises(ValueError, match=r'no prepared set in .*run bin/prepare_data'):
        source.read_summary(data_root / 'nothing')


def test_verify_finds_every_damage(data_root):
    folder = data_root / 'pets' / '1.0.0'
    found = verify.verify(folder)
    assert found['train']['records'] == 600 and found['train']['rows'] == 601 and found['train']['files'] == 3
    path = next(folder.glob('*array_record-00001*'))
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    with pytest.raises(ValueError, match=r'00001-of-00003: checksum .*the file is damaged'):
        verify.verify(folder)
    path.unlink()
    with pytest.raises(ValueError, match=r'00001-of-00003: .*the set is not whole'):
        verify.verify(folder)
    path.write_bytes(whole)
    text = (folder / 'prepared.json').read_text()
    (folder / 'prepared.json').write_text(text.replace('"targets": 601', '"targets": 602'))
    with pytest.raises(ValueError, match='601 targets, 602 were written'):
        verify.verify(folder)
