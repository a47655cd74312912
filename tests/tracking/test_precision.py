"""Lower precision and donated memory change speed, not boxes."""

import copy

import jax
import numpy as np
import pytest

from sctrpn_jax.data import images, sequences
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import compiled, tracker
from sctrpn_jax.weights import pretrained


@pytest.mark.all
@pytest.mark.parametrize('name', ['Crossing', 'Deer'])
def test_bfloat16_boxes_stay_within_a_pixel_on_real_frames(name, shared):
    """Without re-ranking, whose shape cue counts contours: one more or less can change which of two boxes is best."""
    (sequence,) = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'OTB', [name])
    frames = np.stack([images.read_image(path) for path in sequence.frames[:12]])
    box = sequence.boxes[0].astype(np.float32)
    variables, config = pretrained.load_pretrained()
    results = {}
    for rerank in (False, True):
        for precision in ('float32', 'bfloat16'):
            changed = copy.deepcopy(config)
            changed.track.rerank, changed.model.precision = rerank, precision
            changed.track.recovery.search_size = 0  # the same code once more, which bfloat16 takes a minute to compile
            results[rerank, precision] = jax.device_get(tracker.track_sequence(variables, frames, box, changed))
    exact, rounded = results[False, 'float32'], results[False, 'bfloat16']
    assert np.abs(exact.box - rounded.box).max() < 1
    assert (exact.score[1:] != rounded.score[1:]).any()  # the setting does something
    overlaps = one_pass.overlap(results[True, 'float32'].box, results[True, 'bfloat16'].box)
    assert overlaps.min() > 0.7 and np.median(overlaps) > 0.97


def test_a_used_state_is_gone_and_its_memory_reused(narrow, clip):
    variables, config = narrow
    frames, boxes = clip
    programs = compiled.CompiledTracker(variables, config)
    first = programs.init(frames[0], boxes[0])
    second, packed, _ = programs.live(first, frames[1])
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(first.template))
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(second))
    whole = tracker.track_sequence(variables, frames[:2], boxes[0], config)
    np.testing.assert_allclose(packed[:4], whole.box[1], atol=1e-3)


def test_a_live_frame_needs_one_transfer(narrow, clip, monkeypatch):
    """Box, score and region come in one array."""
    variables, config = narrow
    frames, boxes = clip
    live = tracker.Tracker(variables, config)
    live.init(frames[0], boxes[0])
    fetched = []
    plain = jax.device_get
    monkeypatch.setattr(jax, 'device_get', lambda tree: fetched.append(len(jax.tree.leaves(tree))) or plain(tree))
    output = live.update(frames[1])
    assert fetched == [1]
    assert isinstance(output.box, np.ndarray) and output.box.shape == (4,) and output.region.shape == (3,)
