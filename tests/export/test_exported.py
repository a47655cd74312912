"""An exported tracker gives the boxes of the live one, alone, in batches and in a process without the model code."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

from sctrpn_jax.data import images, sequences
from sctrpn_jax.export import exported
from sctrpn_jax.tracking import tracker
from sctrpn_jax.weights import network_file as weights_file
from sctrpn_jax.weights import pretrained

REPOSITORY = pathlib.Path(__file__).parent.parent.parent

LOADER = """
import sys
import numpy as np
from sctrpn_jax.export import exported
with np.load(sys.argv[2]) as data:
    frames, box = data['frames'], data['box']
tracker = exported.ExportedTracker(sys.argv[1])
tracker.init(frames[0], box)
found = [tracker.update(frame) for frame in frames[1:]]
np.savez(sys.argv[3], boxes=[f.box for f in found], scores=[f.score for f in found])
ours = sorted(name for name in sys.modules if name.startswith('sctrpn_jax.'))
strangers = {'flax', 'chex', 'optax', 'orbax', 'ml_collections'} & {name.split('.')[0] for name in sys.modules}
print(*ours, *strangers)
"""
PARTS = ('bounded', 'export', 'export.exported', 'tracking', 'tracking.inputs', 'xla_flags')
ALLOWED = ' '.join(f'sctrpn_jax.{part}' for part in PARTS)


def track(live, frames, box):
    live.init(frames[0], box)
    found = [live.update(frame) for frame in frames[1:]]
    return np.stack([f.box for f in found]), np.stack([f.score for f in found])


def track_elsewhere(folder, frames, box, place):
    """Boxes and scores found by a process of its own, which may not import the model code."""
    np.savez(place / 'frames.npz', frames=frames, box=box)
    arguments = [str(folder), str(place / 'frames.npz'), str(place / 'found.npz')]
    program = subprocess.run(
        [sys.executable, '-c', LOADER, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
    )
    assert program.returncode == 0, program.stderr
    assert program.stdout.strip() == ALLOWED
    with np.load(place / 'found.npz') as data:
        return data['boxes'], data['scores']


@pytest.fixture(scope='module')
def expected(network, clip):
    return track(tracker.Tracker(*network), clip[0], clip[1][0])


@pytest.fixture(scope='module')
def loaded(single):
    return exported.ExportedTracker(single)


def test_boxes_are_the_live_trackers(loaded, clip, expected):
    boxes, scores = track(loaded, clip[0], clip[1][0])
    assert np.ptp(expected[0][:, :2], axis=0).max() > 1  # it moves: equal boxes say something
    np.testing.assert_allclose(boxes, expected[0], atol=0.02)
    np.testing.assert_allclose(scores, expected[1], atol=1e-3)


def test_the_loader_needs_no_model_code(single, clip, expected, tmp_path):
    boxes, scores = track_elsewhere(single, clip[0], clip[1][0], tmp_path)
    np.testing.assert_allclose(boxes, expected[0], atol=0.02)
    np.testing.assert_allclose(scores, expected[1], atol=1e-3)


def test_every_target_of_a_batch_gets_the_boxes_it_gets_alone(any_batch, loaded, clip):
    frames, boxes = clip
    mirrored = boxes[0].copy()
    mirrored[0] = frames.shape[2] - boxes[0][0] - boxes[0][2]
    clips = [(frames, boxes[0]), (frames[:, :, ::-1], mirrored), (frames[:, :150, :190], boxes[0])]
    together = exported.ExportedTracker(any_batch)
    together.init_batch([video[0] for video, _ in clips], [box for _, box in clips])
    found = [together.update_batch([video[t] for video, _ in clips]) for t in range(1, len(frames))]
    for i, (video, box) in enumerate(clips):
        alone, scores = track(loaded, video, box)
        np.testing.assert_allclose([f.box[i] for f in found], alone, atol=0.05)
        np.testing.assert_allclose([f.score[i] for f in found], scores, atol=1e-3)


def test_an_open_batch_takes_one_target_too(any_batch, clip, expected):
    boxes, _ = track(exported.ExportedTracker(any_batch), clip[0][:3], clip[1][0])
    np.testing.assert_allclose(boxes, expected[0][:2], atol=0.02)


def test_one_program_serves_other_weights(single, network, clip, tmp_path):
    variables, config = network
    variables = jax.tree.map(lambda leaf: -leaf if leaf.ndim > 1 else leaf, variables)
    weights_file.write(tmp_path / 'other.npz', variables, config)
    boxes, _ = track(exported.ExportedTracker(single, tmp_path / 'other.npz'), clip[0][:3], clip[1][0])
    variables, _ = weights_file.read(tmp_path / 'other.npz')
    np.testing.assert_allclose(boxes, track(tracker.Tracker(variables, config), clip[0][:3], clip[1][0])[0], atol=0.02)


@pytest.mark.all
def test_a_real_sequence_with_the_shipped_network(shared, tmp_path):
    sequence = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'OTB', ['Crossing'])[0]
    frames = np.stack([images.read_image(path) for path in sequence.frames[:10]])
    folder = tmp_path / 'lite'
    program = subprocess.run(
        [sys.executable, str(REPOSITORY / 'bin' / 'export'), f'--output={folder}', '--frame_size=384x256'],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
    )
    assert program.returncode == 0, program.stderr
    assert 'frames up to 384 x 256' in program.stdout
    live = track(tracker.Tracker(*pretrained.load_pretrained()), frames, sequence.boxes[0])
    boxes, scores = track_elsewhere(folder, frames, sequence.boxes[0], tmp_path)
    np.testing.assert_allclose(boxes, live[0], atol=0.01)
    np.testing.assert_allclose(scores, live[1], atol=1e-3)


def change(key, value):
    def apply(folder):
        manifest = json.loads((folder / 'manifest.json').read_text())
        manifest[key] = value
        (folder / 'manifest.json').write_text(json.dumps(manifest))

    return apply


def damage(name):
    def apply(folder):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return apply


BROKEN = {
    'nothing there': (lambda folder: (folder / 'manifest.json').unlink(), 'no exported tracker here'),
    'no JSON': (lambda folder: (folder / 'manifest.json').write_text('{'), 'not the manifest of an exported tracker'),
    'a list': (lambda folder: (folder / 'manifest.json').write_text('[1]'), 'not the manifest of an exported tracker'),
    'a key less': (change('sha256', {}), 'not the manifest of an exported tracker'),
    'no arrays': (change('arrays', None), 'not the manifest of an exported tracker'),
    'other weights': (change('arrays', {'weights': {'a': 7}}), r'manifest\.json: not of the programs beside it'),
    'huge frames': (change('frame', {'largest': {'width': 10**9, 'height': 10**9}}), 'not of the programs beside it'),
    'another batch': (change('batch', 7), 'not of the programs beside it'),
    'a version that is none': (change('minimum_jax', 'new'), 'not the manifest of an exported tracker'),
    'another format': (change('format', 'x'), "got format 'x', accepted is"),
    'newer jax': (change('minimum_jax', '99.1.0'), r'exported by jax .*, this is .*; install that or newer'),
    'other convention': (change('calling_convention_version', 3), 'calling convention 3, jax .* reads .* to'),
    'other machine': (change('platforms', ['cuda']), 'exported for cuda; this machine runs cpu'),
    'program damaged': (damage('step.stablehlo'), r'step\.stablehlo: damaged, or of another export'),
    'weights damaged': (damage('weights.npz'), r'weights\.npz: damaged, or of another export'),
    'program missing': (
        lambda folder: (folder / 'template.stablehlo').unlink(),
        r'stablehlo: cannot be read \(No such',
    ),
}


@pytest.mark.parametrize('breaks, message', BROKEN.values(), ids=BROKEN)
def test_a_folder_that_cannot_be_used_is_one_clear_line(single, tmp_path, breaks, message):
    folder = tmp_path / 'broken'
    shutil.copytree(single, folder)
    breaks(folder)
    with pytest.raises(ValueError, match=message) as raised:
        exported.ExportedTracker(folder)
    assert '\n' not in str(raised.value)


def test_a_program_that_jax_cannot_read_is_one_clear_line(single, tmp_path):
    folder = tmp_path / 'broken'
    shutil.copytree(single, folder)
    (folder / 'step.stablehlo').write_bytes(b'no program')
    manifest = json.loads((folder / 'manifest.json').read_text())
    digest = exported.digest(b'no program')
    change('sha256', manifest['sha256'] | {'step.stablehlo': digest})(folder)
    with pytest.raises(ValueError, match=r'step\.stablehlo: of jax .* cannot read it') as raised:
        exported.ExportedTracker(folder)
    assert '\n' not in str(raised.value)


def test_weights_that_do_not_fit_are_named(single, network, tmp_path):
    variables, config = network
    path = tmp_path / 'other.npz'
    with pytest.raises(ValueError, match=r'other\.npz: no such file'):
        exported.ExportedTracker(single, path)
    for content in (b'', b'PK\x03\x04 no archive', b'no archive'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r'other\.npz: not a weights file'):
            exported.ExportedTracker(single, path)
    np.save(tmp_path / 'array.npy', np.zeros(3))
    with pytest.raises(ValueError, match=r'array\.npy: not a weights file'):
        exported.ExportedTracker(single, tmp_path / 'array.npy')
    more = {'params': variables['params'] | {'more': {'kernel': np.zeros((2, 3))}}}
    weights_file.write(path, variables | more, config)
    with pytest.raises(ValueError, match=r'params/more/kernel is \[2, 3\], wanted is none'):
        exported.ExportedTracker(single, path)


def test_misuse_is_refused(single, clip):
    frames, boxes = clip
    fresh = exported.ExportedTracker(single)
    with pytest.raises(ValueError, match='call init'):
        fresh.update(frames[0])
    with pytest.raises(ValueError, match='got 300 x 160 pixels; this export takes up to 240 x 180'):
        fresh.init(np.zeros((160, 300, 3), np.uint8), boxes[0])
    with pytest.raises(ValueError, match='lies outside the frame of 200 x 160'):
        fresh.init(frames[0], (210, 10, 20, 20))
    with pytest.raises(ValueError, match='got float32; accepted is uint8'):
        fresh.init(frames[0].astype(np.float32), boxes[0])
    with pytest.raises(ValueError, match='got 2 frames and 2 boxes; this export takes 1 of both'):
        fresh.init_batch(frames[:2], boxes[:2])


def test_frames_must_stay_what_they_were(loaded, clip):
    frames, boxes = clip
    loaded.init(frames[0], boxes[0])
    with pytest.raises(ValueError, match=r'got \(150, 200\), the first was \(160, 200\)'):
        loaded.update(frames[1][:150])
    with pytest.raises(ValueError, match='got 2 frames; the targets are 1'):
        loaded.update_batch(frames[:2])
    grey = loaded.update(frames[1][..., 0])
    assert np.isfinite(grey.box).all() and 0 <= grey.score <= 1


def test_an_open_batch_wants_as_many_boxes_as_frames(any_batch, clip):
    frames, boxes = clip
    fresh = exported.ExportedTracker(any_batch)
    for some in ((frames[:2], boxes[:1]), ([], [])):
        with pytest.raises(ValueError, match='this export takes as many of both, one or more'):
            fresh.init_batch(*some)
