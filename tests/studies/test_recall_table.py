"""Table 2: proposals against the network's own outputs taken apart by hand, recall of known boxes, baselines, files."""

import csv
import functools
import io
import json

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.models import sctrpn
from sctrpn_jax.studies import recall_table
from sctrpn_jax.tracking import compiled, look, proposals
from sctrpn_jax.weights import network_file as weights_file

KEPT = 1000  # of each kind, as `run` keeps: what is compiled for one test serves the others
COMPARED = 40  # in their order, where no neighbour has the same value but for rounding, which may change places


@pytest.fixture(scope='module')
def clip(network_clip):
    return network_clip


@pytest.fixture(scope='module')
def proposer(network, clip):
    made = recall_table.Proposer(*network, most=KEPT)
    made.init(clip[0][0], clip[1].boxes[0])
    return made


def test_stages_are_the_networks_outputs_in_order(network, clip, proposer):
    variables, config = network
    frames, sequence = clip
    rows, crop, (centre, side) = proposer(frames[2], sequence.boxes[1])
    x, y, w, h = sequence.boxes[1]
    np.testing.assert_allclose(centre, [x + w / 2, y + h / 2], rtol=1e-6)
    assert side == pytest.approx(np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2)) * 255 / 127, rel=1e-5)

    state = compiled.CompiledTracker(variables, config).init(frames[0], sequence.boxes[0].astype(np.float32))
    plain = crop_lib.extract(frames[2], jnp.asarray(centre), jnp.asarray(side), 255, state.fill)
    assert np.abs(np.asarray(plain) - crop).max() <= 0.51
    search = jax.jit(functools.partial(sctrpn.SCTRPN(config.model).apply, method='search'))
    target = look.template_target(state.first_size)[None]
    outputs = jax.device_get(search(variables, state.template, plain[None], target))
    names = list(rows)
    assert names == ['stage 1 (conv5)', 'stage 2 (conv4)', 'last stage, re-ranked (Eq. 13)', 'anchors']
    dropped = 0
    for stage, name in enumerate(names[:2]):
        logits, boxes, mask = (values[0, stage] for values in (outputs.logits, outputs.boxes, outputs.mask))
        order = [i for i in np.argsort(-logits, kind='stable') if mask[i]][:KEPT]
        expected = []
        for i in order[:COMPARED]:
            cx, cy, bw, bh = boxes[i] * side / 255
            corner = centre - side / 2
            expected.append([cx - bw / 2 + corner[0], cy - bh / 2 + corner[1], bw, bh])
        found = rows[name]
        assert found.shape == (KEPT, 4)
        assert np.isfinite(found[: len(order)]).all() and np.isnan(found[len(order) :]).all()
        gaps = -np.diff(logits[order], append=-np.inf, prepend=np.inf)
        clear = (np.minimum(gaps[1:], gaps[:-1]) > 1e-4)[:COMPARED]
        assert clear.sum() > COMPARED / 2
        np.testing.assert_allclose(found[: len(expected)][clear], np.array(expected)[clear], rtol=1e-3, atol=0.02)
        dropped += (~mask).sum()
    assert dropped > 0
    assert rows['anchors'].shape == (17 * 17 * 5, 4)
    assert np.ptp(rows['anchors'][:, 0] + rows['anchors'][:, 2] / 2) == pytest.approx(128 * side / 255, rel=1e-4)


def test_re_ranked_proposals_are_the_trackers(network, clip):
    variables, config = network
    frames, sequence = clip
    proposer = recall_table.Proposer(*network, most=proposals.KEPT)
    proposer.init(frames[0], sequence.boxes[0])
    programs = compiled.CompiledTracker(variables, config, details=True)
    state = programs.init(frames[0], sequence.boxes[0].astype(np.float32))
    _, output = jax.device_get(programs.step(state, frames[1]))
    rows, _, (centre, side) = proposer(frames[1], sequence.boxes[0])
    found = rows['last stage, re-ranked (Eq. 13)']
    count = int(np.isfinite(found).all(axis=1).sum())
    assert COMPARED < count <= proposals.KEPT and np.isnan(found[count:]).all()
    boxes = output.proposals.boxes[:COMPARED] * side / 255
    boxes[:, :2] += centre - side / 2 - boxes[:, 2:] / 2
    np.testing.assert_allclose(found[:COMPARED], boxes, rtol=1e-3, atol=0.02)


class Fake:
    """Proposals that are known: a far box first, the true one as the 60th."""

    def __init__(self, truth):
        self.truth, self.asked = truth, []

    def init(self, frame, box):
        self.count, self.box = 0, tuple(box)

    def __call__(self, frame, previous):
        self.asked.append(tuple(previous))
        target = self.truth[[tuple(row) for row in self.truth].index(tuple(previous)) + 1]
        boxes = np.full((80, 4), [500.0, 500, 5, 5])
        boxes[59] = target
        half = np.concatenate([target[:2], target[2:] * [0.6, 1]])[None]
        anchors = np.concatenate([np.tile(target, (1, 1)), np.full((1444, 4), [900.0, 0, 2, 2])])
        crop = np.zeros((255, 255, 3), np.uint8)
        return {'late': boxes, 'narrow': half, 'anchors': anchors}, crop, (target[:2] + target[2:] / 2, 510.0)


def known(tmp_path, gap=False):
    boxes = np.array([[10.0 + 7 * t, 12, 20, 16] for t in range(7)])
    if gap:
        boxes[3] = np.nan
    path = tmp_path / 'frame.png'
    cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    return sequences.Sequence('known', (str(path),) * 7, boxes)


def test_recall_of_known_proposals(tmp_path):
    sequence = known(tmp_path)
    fake = Fake(sequence.boxes)

    def search(crop):
        assert crop.shape == (255, 255, 3)
        # In the middle of the crop, half the target's size: a frame pixel is half a crop pixel.
        return np.array([[127.5 - 5, 127.5 - 4, 10, 8]])

    found = recall_table.measure(fake, [sequence], search=search)
    assert list(found) == ['late', 'narrow', 'anchors drawn uniformly', 'SelectiveSearch']
    assert found['late']['recall'] == {'0.5': [0, 1, 1, 1, 1], '0.7': [0, 1, 1, 1, 1]}
    assert found['narrow']['recall'] == {'0.5': [1] * 5, '0.7': [0] * 5}
    assert found['SelectiveSearch']['recall'] == {'0.5': [1] * 5, '0.7': [1] * 5}
    assert [found[name]['proposals'] for name in found] == [80, 1, 1000, 1] and found['late']['frames'] == 6
    assert fake.asked == [tuple(row) for row in sequence.boxes[:6]]
    again = recall_table.measure(Fake(sequence.boxes), [sequence])
    assert again['anchors drawn uniformly'] == found['anchors drawn uniformly'] and 'SelectiveSearch' not in again


def test_uniform_anchors_are_a_fair_draw(tmp_path):
    sequence = known(tmp_path)
    hits = []
    for seed in range(40):
        found = recall_table.measure(Fake(sequence.boxes), [sequence], seed=seed)
        hits.append(found['anchors drawn uniformly']['recall']['0.5'])
    # One of 1,445 anchors fits: among the first n with probability n / 1445.
    np.testing.assert_allclose(np.mean(hits, axis=0), np.array([50, 100, 200, 500, 1000]) / 1445, atol=0.1)


def test_frames_without_a_box_do_not_count_and_every_leaves_out(tmp_path):
    sequence = known(tmp_path, gap=True)
    fake = Fake(sequence.boxes)
    assert recall_table.measure(fake, [sequence])['late']['frames'] == 4
    assert not any(np.isnan(row).any() for row in fake.asked)
    whole = known(tmp_path)
    fake = Fake(whole.boxes)
    assert recall_table.measure(fake, [whole], every=2)['late']['frames'] == 3
    assert fake.asked == [tuple(whole.boxes[t]) for t in (0, 2, 4)]
    sequence.boxes[0] = np.nan
    with pytest.raises(ValueError, match="'known': no box in the first frame"):
        recall_table.measure(fake, [sequence])
    whole.boxes[1:] = np.nan
    with pytest.raises(ValueError, match='no frame with a box after another'):
        recall_table.measure(fake, [whole])


def test_selective_search_or_a_clear_line():
    if not hasattr(cv2, 'ximgproc'):
        with pytest.raises(ValueError, match='SelectiveSearch: this OpenCV .* opencv-contrib-python'):
            recall_table.selective_search()
        return
    crop = np.full((255, 255, 3), 40, np.uint8)
    crop[80:160, 60:180] = 220
    boxes = recall_table.selective_search()(crop)
    assert np.abs(boxes - [60, 80, 120, 80]).max(axis=1).min() <= 4


def test_the_whole_table_from_a_weights_file(tmp_path, network, clip):
    weights_file.write(tmp_path / 'network.npz', *network)
    short = sequences.Sequence('clip', clip[1].frames[:4], clip[1].boxes[:4])
    report = recall_table.run(str(tmp_path / 'network.npz'), 'otb', [short], tmp_path / 'out', every=2)
    assert json.loads((tmp_path / 'out' / 'table2.json').read_text()) == report
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['table2.csv', 'table2.json', 'table2.md']
    assert report['rows']['stage 1 (conv5)']['frames'] == 2
    for row in report['rows'].values():
        values = np.array(list(row['recall'].values()))
        assert values.shape == (2, 5) and (np.diff(values, axis=1) >= 0).all() and (values[0] >= values[1]).all()
    assert report['rows']['stage 1 (conv5)']['proposals'] == 1000
    missing = not hasattr(cv2, 'ximgproc')
    assert ('SelectiveSearch' in report['left_out']) == missing == ('SelectiveSearch' not in report['rows'])
    measured, printed = (tmp_path / 'out' / 'table2.md').read_text().split('## As printed (Table 2, OTB-2015')
    assert '0.921' in printed and 'SCTRPN' not in measured
    assert ('Left out: SelectiveSearch: this OpenCV' in measured) == missing
    lines = list(csv.DictReader(io.StringIO((tmp_path / 'out' / 'table2.csv').read_text())))
    assert len(lines) == len(report['rows']) * 10 + 25
    assert {line['threshold'] for line in lines if line['source'].startswith('printed')} == {''}
