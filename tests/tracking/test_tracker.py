"""One step, three ways to run it: scan, chunks and live agree up to rounding; nothing a frame holds breaks it."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images, sequences
from sctrpn_jax.geometry import grid
from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import compiled, look, tracker


def valid(boxes):
    boxes = np.asarray(boxes)
    return np.isfinite(boxes).all() and (boxes[..., 2:] > 0).all()


def test_live_and_scan_give_the_same_boxes(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    whole = tracker.track_sequence(variables, frames, boxes[0], config)
    live = tracker.Tracker(variables, config)
    live.init(frames[0], boxes[0])
    outputs = [live.update(frame) for frame in frames[1:]]
    np.testing.assert_allclose([o.box for o in outputs], whole.box[1:], atol=1e-3)
    np.testing.assert_allclose([o.score for o in outputs], whole.score[1:], atol=1e-5)
    np.testing.assert_array_equal(whole.box[0], boxes[0])
    assert whole.score[0] == 1


def test_chunks_give_the_same_boxes(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    programs = compiled.CompiledTracker(variables, config)
    state = programs.init(frames[0], boxes[0])
    chunks = []
    for start in (1, 4, 7):
        state, outputs = programs.chunk(state, frames[start : start + 3])
        chunks.append(outputs.box)
    whole = tracker.track_sequence(variables, frames, boxes[0], config)
    np.testing.assert_allclose(np.concatenate(chunks), whole.box[1:], atol=1e-3)


@pytest.mark.all
def test_vmap_over_sequences(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    both = np.stack([frames[:4], frames[:4][:, :, ::-1]])
    mirrored = boxes[0].copy()
    mirrored[0] = frames.shape[2] - boxes[0][0] - boxes[0][2]
    starts = np.stack([boxes[0], mirrored])
    many = jax.vmap(lambda f, b: tracker.track_sequence(variables, f, b, config))(both, starts)
    for i in range(2):
        one = tracker.track_sequence(variables, both[i], starts[i], config)
        np.testing.assert_allclose(many.box[i], one.box, atol=1e-2)


@pytest.mark.parametrize('on_cpu', [True, False])
def test_many_sequences_in_one_program(on_cpu, monkeypatch):
    monkeypatch.setattr(convolution, 'on_cpu', lambda: on_cpu)
    many = jax.jit(compiled.over_sequences(lambda variables, frames, scale: (variables * frames.sum(), scale + 1)))
    products, more = many(2.0, np.arange(12.0).reshape(3, 2, 2), np.arange(3.0))
    np.testing.assert_array_equal(products, [12, 44, 76])
    np.testing.assert_array_equal(more, [1, 2, 3])


def test_anchors_of_the_targets_shape_track(narrow, clip):
    _, config = narrow
    config = copy.deepcopy(config)
    config.model.anchors.shape, config.model.anchors.ratios = 'target', (1.0,)
    frames, boxes = clip
    size = jnp.asarray(boxes[0][2:])
    np.testing.assert_allclose(
        look.template_target(size),
        size * 127 / np.sqrt(np.prod(boxes[0][2:] + boxes[0][2:].sum() / 2)),
        rtol=1e-5,
    )
    variables = sctrpn.init_variables(sctrpn.SCTRPN(config.model), 0)
    found = tracker.track_sequence(variables, frames, boxes[0], config, details=True)
    assert valid(found.box)
    # Untrained, the deltas are next to nothing: what is proposed has the target's shape.
    np.testing.assert_allclose(
        found.proposals.boxes[..., 2] / found.proposals.boxes[..., 3], size[0] / size[1], rtol=0.05
    )


def test_the_first_stages_alone_are_a_network_of_fewer_stages(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    config, short = copy.deepcopy(config), copy.deepcopy(config)
    config.track.stages, short.model.cascade.layers = 1, (5,)
    found = tracker.track_sequence(variables, frames[:4], boxes[0], config, details=True)
    assert found.response_maps.shape[1] == 1
    only = {name: part for name, part in variables['params'].items() if name in ('backbone', 'stages_0')}
    statistics = {'stages_0': variables['batch_stats']['stages_0']}
    expected = tracker.track_sequence(
        {'params': only, 'batch_stats': statistics}, frames[:4], boxes[0], short, details=True
    )
    np.testing.assert_allclose(found.box, expected.box, atol=1e-3)
    config.track.stages = 3
    with pytest.raises(ValueError, match=r'config.track.stages is 3; accepted: 0 \(all\) to 2'):
        compiled.jitted(config)


def test_compiles_once_for_a_frame_size(narrow, clip):
    variables, config = narrow
    config = copy.deepcopy(config)
    config.track.window = 0.31  # functions of its own
    frames, boxes = clip
    programs = compiled.jitted(config)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        tracker.track_sequence(variables, rng.integers(0, 255, frames.shape, np.uint8), boxes[0] + seed, config)
    assert programs.sequence._cache_size() == 1
    live = tracker.Tracker(variables, copy.deepcopy(config))
    for video in (frames, frames[::-1]):
        live.init(video[0], boxes[0])
        for frame in video[1:3]:
            live.update(frame)
    assert programs.live._cache_size() == programs.init._cache_size() == 1


def test_programs_of_many_frame_sizes_do_not_pile_up(traced, monkeypatch):
    # Found on a benchmark of many sizes: "LLVM compilation error: Cannot allocate memory".
    monkeypatch.setattr(compiled, 'MAX_SIZES', 3)
    monkeypatch.setattr(compiled, '_sizes', set())
    live = tracker.Tracker({'threshold': np.uint8(128)}, config_lib.Config())
    programs, kept = compiled.jitted(live.config), []
    for side in range(40, 48):
        frame = np.zeros((side, 60, 3), np.uint8)
        frame[10:20, 20:30] = 255
        live.init(frame, np.float32([22, 12, 10, 10]))
        np.testing.assert_allclose(live.update(frame).box, [20, 10, 10, 10])
        kept.append((programs.init._cache_size(), programs.live._cache_size()))
    assert kept == [(1, 1), (2, 2), (3, 3)] * 2 + [(1, 1), (2, 2)]


def test_follows_a_textured_square(narrow):
    """An untrained network still matches its first-frame features: the square must not be lost."""
    variables, config = narrow
    config = copy.deepcopy(config)
    config.track.window = 0.05  # a strong window holds an unsure score back
    config.track.rerank = False  # by scores alone: the untrained boxes have no shape to rank
    rng = np.random.default_rng(0)
    background = rng.integers(90, 130, (160, 220, 3), np.uint8)
    texture = rng.integers(0, 255, (6, 6, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    frames, truth = [], []
    for t in range(12):
        x, y = 30 + 6 * t, 40 + 3 * t
        frame = background.copy()
        frame[y : y + 36, x : x + 36] = texture
        frames.append(frame)
        truth.append([x, y, 36, 36])
    boxes = np.asarray(tracker.track_sequence(variables, np.stack(frames), np.array(truth[0], np.float32), config).box)
    error = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - np.array(truth)[:, :2] - 18, axis=1)
    assert error.max() < 18  # the centre never leaves the target


def _hard_frames():
    rng = np.random.default_rng(0)
    shape = (8, 90, 120, 3)
    return {
        'black': np.zeros(shape, np.uint8),
        'white': np.full(shape, 255, np.uint8),
        'noise': rng.integers(0, 255, shape, np.uint8),
    }


@pytest.mark.parametrize('kind', ['black', 'white', 'noise'])
@pytest.mark.parametrize(
    'box', [(-15, -10, 20, 15), (100, 70, 60, 60), (0, 0, 120, 90), (60, 40, 1, 1), (0, 40, 120, 2)]
)
def test_nothing_breaks_it(narrow, kind, box):
    variables, config = narrow
    result = tracker.track_sequence(variables, _hard_frames()[kind], np.asarray(box, np.float32), config)
    assert valid(result.box) and np.isfinite(result.score).all()
    assert (np.asarray(result.score) >= 0).all() and (np.asarray(result.score) <= 1).all()


@pytest.mark.parametrize(
    'change',
    [
        {'rerank': False},
        {'rerank_each_stage': True},
        {'color_map': 'histogram'},
        {'rerank_with_score': False, 'size_unit': 'pixels', 'shape_target': 'previous'},
        {'stage_scores': 'last', 'size_target': 'first', 'search_size': 271},
    ],
    ids=lambda c: ','.join(c),
)
def test_every_way_of_ranking_runs(narrow, clip, change):
    variables, config = narrow
    config = copy.deepcopy(config)
    for name, value in change.items():
        setattr(config.track, name, value)
    frames, boxes = clip
    result = tracker.track_sequence(variables, frames[:4], boxes[0], config, details=True)
    assert valid(result.box)
    values = np.asarray(result.proposals.values)
    assert (np.diff(values, axis=-1) <= 1e-6).all()
    n = grid.map_size(config.track.search_size)
    assert result.response_maps.shape == (3, 2, n, n)
    assert result.proposals.kept[:, 0].all()


@pytest.mark.parametrize('factor', [1e4, -1e4])
def test_broken_weights_never_give_a_broken_box(narrow, clip, factor):
    variables, config = narrow
    frames, boxes = clip
    wild = jax.tree.map(lambda x: x * factor, variables)
    assert valid(tracker.track_sequence(wild, frames[:5], boxes[0], config).box)


def test_grey_and_rgba_frames_are_converted(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    grey = frames.mean(-1).astype(np.uint8)
    results = []
    for video in (grey, grey[..., None].repeat(3, -1), np.concatenate([grey[..., None]] * 4, -1)):
        live = tracker.Tracker(variables, config)
        live.init(video[0], boxes[0])
        results.append(live.update(video[1]).box)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.all
def test_real_grey_sequence(narrow, shared):
    """OTB Freeman1 is greyscale."""
    variables, config = narrow
    (sequence,) = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'OTB', ['Freeman1'])
    frames = np.stack([images.read_image(path) for path in sequence.frames[:5]])
    assert frames.shape[-1] == 3
    result = tracker.track_sequence(variables, frames, sequence.boxes[0].astype(np.float32), config)
    assert valid(result.box)


BAD_BOXES = {
    'positive': [(10, 10, 0, 5), (10, 10, 5, -1)],
    'finite': [(np.nan, 1, 5, 5), (0, 0, np.inf, 5), (1, 2, 3)],
    'outside the frame of 200 x 160': [(200, 10, 5, 5), (-9, 10, 5, 5), (10, 400, 5, 5)],
    'four numbers': ['abc', ('a', 'b', 'c', 'd')],
}


@pytest.mark.parametrize('words, box', [(words, box) for words, boxes in BAD_BOXES.items() for box in boxes])
def test_bad_boxes_say_why(narrow, clip, words, box):
    live = tracker.Tracker(*narrow)
    with pytest.raises(ValueError, match=words):
        live.init(clip[0][0], box)


def test_bad_frames_say_why(narrow, clip):
    frames, boxes = clip
    live = tracker.Tracker(*narrow)
    with pytest.raises(ValueError, match='call init'):
        live.update(frames[0])
    with pytest.raises(ValueError, match='uint8'):
        live.init(frames[0].astype(np.float32), boxes[0])
    with pytest.raises(ValueError, match='accepted are'):
        live.init(np.zeros((5, 5, 2), np.uint8), (1, 1, 2, 2))
    live.init(frames[0], boxes[0])
    with pytest.raises(ValueError, match='the first was'):
        live.update(frames[1][:50])


def test_state_is_a_plain_pytree(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    state = compiled.jitted(config).init(variables, frames[0], boxes[0])
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state))
