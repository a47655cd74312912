"""docs/onnx: what it does around the network in NumPy is what the tracker does, with the network run by Flax."""

import copy
import importlib
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from sctrpn_jax import config_values
from sctrpn_jax.data import generated
from sctrpn_jax.export import onnx_models
from sctrpn_jax.tracking import tracker

EXAMPLE = pathlib.Path(__file__).parents[2] / 'docs' / 'onnx'
MODULES = ('track', 'selection', 'correlation_filter', 'geometry')


@pytest.fixture(scope='module')
def example():
    """The example's modules by name, imported as its program does."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        yield {name: importlib.import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(EXAMPLE))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope='module')
def additions(network):
    """The small network with every addition that the shipped networks track with."""
    variables, config = network
    config = copy.deepcopy(config)
    track = config.track
    track.search_size, track.rerank_with_score, track.stage_scores = 191, True, 'mean'
    track.filter_exponent, track.first_frame.correction = 1.0, 1.0
    track.recovery.score, track.recovery.search_size = 0.1, 255
    return variables, config


def with_flax(variables, config):
    """`run` of the example's tracker: the functions that become the ONNX models."""
    made = {}
    for name, model in onnx_models.models(variables, config).items():
        made[name.removesuffix('.onnx')] = jax.jit(model.function), model

    def run(name, inputs):
        function, model = made[name]
        values = [np.asarray(inputs[key]) for key in model.inputs]
        for value, wanted in zip(values, model.inputs.values(), strict=True):
            assert (value.shape, value.dtype) == (wanted.shape, wanted.dtype)
        return dict(zip(model.outputs, map(np.asarray, function(*values)), strict=True))

    return run


def test_boxes_scores_and_hidden_frames_are_the_trackers(example, additions):
    variables, config = additions
    frames, boxes = generated.make_sequence(5, 10, height=160, width=200)
    frames = np.array(frames)
    frames[5:8] = 127  # nothing to be seen: the target is lost and looked for farther away
    live = tracker.Tracker(variables, config)
    live.init(frames[0], boxes[0])
    copied = example['track'].Tracker(with_flax(variables, config), config_values.to_dict(config))
    copied.init(frames[0], boxes[0])
    hidden = []
    for frame in frames[1:]:
        wanted = live.update(frame)
        box, score = copied.update(frame)
        np.testing.assert_allclose(box, wanted.box, atol=0.05)
        np.testing.assert_allclose(score, wanted.score, atol=2e-3)
        assert copied.hidden == wanted.hidden
        hidden.append(copied.hidden)
    assert any(hidden) and not all(hidden)


def test_settings_that_it_does_not_know_are_refused(example, additions):
    config = config_values.to_dict(additions[1])
    config['track'] = config['track'] | {'color_map': 'histogram'}
    with pytest.raises(ValueError, match=r"track\.color_map is 'histogram'; this example knows 'response' only"):
        example['track'].Tracker(None, config)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--models=nowhere', '--box=1,2,3'], "--box: got '1,2,3'; give four numbers"),
        (['--models=nowhere', '--box=1,2,3,-4'], "--box: got '1,2,3,-4'; give four numbers"),
        (['--models=nowhere', '--box=1,2,3,4'], 'nowhere: no ONNX models here'),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path):
    command = [sys.executable, str(EXAMPLE / 'track.py'), '--video=x.mp4', *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1
