"""The stream of patches: exact geometry, exact resume, and the same pairs for any hosts and workers."""

import logging

import cv2
import jax
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax import config
from sctrpn_jax.data import generated, pipeline
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


@pytest.fixture
def root(tmp_path):
    """Two small sources on disk: a video of five frames and three stills."""
    rng = np.random.default_rng(0)
    for name, lines in {
        'video': [f'img/{i}.png,v,{i},c,{20 + i},15,18,14' for i in range(5)],
        'stills': [f'img/{i}.png,s{i},0,c,{10 + i},12,20,22' for i in range(3)],
    }.items():
        (tmp_path / name / 'img').mkdir(parents=True)
        (tmp_path / name / 'boxes.csv').write_text('image,track,frame,class,x,y,w,h\n' + '\n'.join(lines) + '\n')
        for i in range(len(lines)):
            noise = cv2.resize(rng.integers(0, 256, (8, 10, 3), dtype=np.uint8), (80, 60))
            cv2.imwrite(str(tmp_path / name / 'img' / f'{i}.png'), noise)
    return tmp_path


def dataset_of(root, **options):
    sources, weights = pipeline.make_sources(config.DataConfig(root=str(root)))
    return pipeline.make_dataset(sources, weights, **{**SIZES, 'batch_size': 4, 'mirror_share': 0.5, **options})


@given(
    size=st.integers(31, 255),
    shift=st.floats(0, 80),
    scale=st.floats(0, 0.5),
    corner=st.tuples(*[st.sampled_from([-1, 1])] * 2),
)
def test_a_patch_holds_the_extreme_crops(size, shift, scale, corner):
    patch = pipeline.patch_size(size, shift, scale)
    centre = patch / 2 - corner[0] * shift * (1 + scale)
    ends = centre + np.array([-1, 1]) * size / 2 * (1 + scale)
    assert patch % 2 == 1 and ends.min() >= 0.5 and ends.max() <= patch - 0.5
    assert patch <= (size + 2 * shift) * (1 + scale) + 5


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-10, 90),
    y=st.floats(-10, 60),
    width=st.floats(15, 40),
    height=st.floats(15, 40),
    size=st.integers(31, 80),
)
def test_a_patch_is_the_crop_of_the_geometry(x, y, width, height, size):
    image = cv2.resize(np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8), (120, 90))
    box = np.float32([x, y, width, height])
    patch, patch_box = pipeline.cut_patch(image, box, size, template_size=60)
    centre = box[:2] + box[2:] / 2
    side = np.sqrt((1.5 * width + 0.5 * height) * (0.5 * width + 1.5 * height)) * size / 60
    np.testing.assert_allclose(patch_box, [size / 2, size / 2, width * size / side, height * size / side], rtol=1e-5)
    at = [((np.arange(size) + 0.5) / size - 0.5) * side + middle - 0.5 for middle in centre]
    rows, columns = np.meshgrid(at[1], at[0], indexing='ij')
    fill = image.mean((0, 1))
    expected = [
        scipy.ndimage.map_coordinates(image[..., c] - fill[c], [rows, columns], order=1, mode='grid-constant') + fill[c]
        for c in range(3)
    ]
    # OpenCV 4 rounds positions to 1/32 pixel, which shows where the picture has an edge.
    difference = np.abs(patch - np.stack(expected, -1))
    assert difference.mean() < 1.0 and difference.max() < 12


@pytest.mark.parametrize('offset', [0.0, 0.37])
@pytest.mark.parametrize('near_border', [False, True])
def test_a_strong_reduction_averages_and_stays_in_place(offset, near_border):
    image = np.zeros((400, 500, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 200  # a chequerboard of mean 100: aliasing would show it
    left, top = (0, 0) if near_border else (150, 100)
    image[top : top + 120, left : left + 160] = 255
    box = np.float32([left + offset, top, 160, 120])
    patch, patch_box = pipeline.cut_patch(image, box, 101, template_size=61)
    x, y, width, height = patch_box
    white = patch[..., 0] > 180
    columns, rows = np.flatnonzero(white.sum(0) > height / 2), np.flatnonzero(white.sum(1) > width / 2)
    scale = 61 / float(crop.context_side(box[2:]))
    assert scale < 1 / pipeline.ALIASING
    np.testing.assert_allclose([columns[0], columns[-1] + 1], [x - width / 2, x + width / 2], atol=0.8 + offset * scale)
    np.testing.assert_allclose([rows[0], rows[-1] + 1], [y - height / 2, y + height / 2], atol=0.8)
    outside = patch[round(y + height / 2) + 3 : -2, round(x - width / 2) + 2 : -2]
    assert outside.std() < 12 and abs(outside.mean() - 100) < 12


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
    sources, weights = pipeline.make_sources(config.DataConfig(root=str(root)))

    def draw():
        record = pipeline.MakeRecord(sources, weights, 0, {'negative_share': 0.3}, 41, 61, 127, 4)
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
    sources, weights = pipeline.make_sources(config.DataConfig(root=str(root)))
    for image in root.glob('*/img/*'):
        image.unlink()
    record = pipeline.MakeRecord(sources, weights, 0, {}, 41, 61, 127, 4)
    with pytest.raises(ValueError, match=r'no readable pair at position 0 in 16 draws; the last: .*png'):
        record(0)


def test_sources_and_weights_follow_the_config(root):
    sources, weights = pipeline.make_sources(config.DataConfig(root=str(root), source_weight_power=1.0))
    assert [source.name for source in sources] == ['stills', 'video']
    np.testing.assert_allclose(weights, [3 / 8, 5 / 8])
    _, weights = pipeline.make_sources(config.DataConfig(root=str(root), video_share=0.2))
    np.testing.assert_allclose(weights, [0.8, 0.2])
    data = config.DataConfig(root=str(root), sources=('video',), generated_share=0.3)
    sources, weights = pipeline.make_sources(data)
    assert [source.name for source in sources] == ['video', 'generated']
    np.testing.assert_allclose(weights, [0.7, 0.3])
    sources, weights = pipeline.make_sources(config.DataConfig())
    assert isinstance(sources[0], generated.GeneratedSource) and weights == [1.0]
    batch = take(pipeline.make_dataset(sources, weights, batch_size=2, **SIZES), 1)[0]
    assert batch['search'].shape == (2, 61, 61, 3)


def test_wrong_settings_say_what_is_accepted(root, tmp_path):
    with pytest.raises(ValueError, match="has no source 'none'; sources in it: stills, video"):
        pipeline.make_sources(config.DataConfig(root=str(root), sources=('none',)))
    with pytest.raises(ValueError, match=r'expected a folder of source folders'):
        pipeline.make_sources(config.DataConfig(root=str(tmp_path / 'nowhere')))
    with pytest.raises(ValueError, match=r'has no folder with a boxes\.csv'):
        pipeline.make_sources(config.DataConfig(root=str(root / 'video')))
    with pytest.raises(ValueError, match=r'generated_share is 2; expected 0\.\.1'):
        pipeline.make_sources(config.DataConfig(root=str(root), generated_share=2))
    with pytest.raises(ValueError, match='positive multiple of 3 processes'):
        dataset_of(root, process_count=3)
    with pytest.raises(ValueError, match='expected one weight >= 0 a source'):
        pipeline.make_dataset([generated.GeneratedSource()], [], batch_size=2, **SIZES)


def test_real_pairs(shared):
    root = shared / 'data' / 'train'
    if not (root / 'davis2016_train' / 'boxes.csv').is_file():
        pytest.skip('no training data in the shared folder')
    data = config.DataConfig(root=str(root), sources=('davis2016_train', 'penn_fudan', 'eth80'))
    sources, weights = pipeline.make_sources(data)
    batch = take(pipeline.make_dataset(sources, weights, template_patch=145, search_patch=455, batch_size=8), 1)[0]
    side = crop.context_side(batch['template_box'][:, 2:])
    np.testing.assert_allclose(side, 127, rtol=1e-4)
    assert (batch['template'].std((1, 2, 3)) > 2).all()
