"""The ONNX models against Flax, and docs/onnx against the tracker on a real sequence, where there is no JAX."""

import csv
import importlib.metadata
import importlib.util
import os
import pathlib
import subprocess
import sys
import tomllib

import jax
import numpy as np
import pytest

from sctrpn_jax.data import images, sequences
from sctrpn_jax.export import onnx_models
from sctrpn_jax.programs import arguments, export
from sctrpn_jax.tracking import tracker
from sctrpn_jax.weights import pretrained

REPOSITORY = pathlib.Path(__file__).parents[2]
# Runs every model of a folder on the inputs of a file; prints what must not be there.
RUNNER = """
import sys
import numpy as np
import onnxruntime
folder, inputs, outputs = sys.argv[1:]
with np.load(inputs) as file:
    values = dict(file)
for name in ('template', 'search', 'search_far'):
    session = onnxruntime.InferenceSession(f'{folder}/{name}.onnx', providers=['CPUExecutionProvider'])
    names = [each.name for each in session.get_outputs()]
    taken = {each.name: values.get(f'{name}.{each.name}', values.get(each.name)) for each in session.get_inputs()}
    found = dict(zip(names, session.run(None, taken)))
    values.update(found if name == 'template' else {f'{name}.{key}': value for key, value in found.items()})
np.savez(outputs, **values)
print(*({'jax', 'flax', 'sctrpn_jax'} & set(sys.modules)))
"""


def run(*command, **settings):
    environment = {name: value for name, value in os.environ.items() if name not in ('PYTHONPATH', 'XLA_FLAGS')}
    done = subprocess.run(
        list(map(str, command)), env=environment | settings, capture_output=True, text=True, timeout=3000
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(folder, *packages):
    """Python of a new environment with some packages."""
    run(sys.executable, '-m', 'venv', folder)
    python = folder / 'bin' / 'python'
    run(python, '-m', 'pip', '--disable-pip-version-check', '--no-input', 'install', '--quiet', *packages)
    return python


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """The lite network's folder, written in an environment with the extra `onnx`, which has an older orbax."""
    place = tmp_path_factory.mktemp('onnx')
    project = tomllib.loads((REPOSITORY / 'pyproject.toml').read_text())['project']
    # What `pip install 'sctrpn_jax[onnx]'` resolves; a build of the project would leave files beside its sources.
    python = environment(place / 'writer', *project['dependencies'], *project['optional-dependencies']['onnx'])
    export_command = [REPOSITORY / 'bin' / 'export', '--format=onnx', f'--output={place / "lite"}']
    run(python, *export_command, PYTHONPATH=str(REPOSITORY))
    return place / 'lite'


@pytest.fixture(scope='module')
def reader(tmp_path_factory):
    """Python of an environment with what the example needs, in the versions of this one."""
    versions = [f'{name}=={importlib.metadata.version(name)}' for name in ('numpy', 'opencv-python-headless')]
    python = environment(tmp_path_factory.mktemp('reader') / 'environment', *versions, 'onnxruntime')
    assert run(
        python, '-I', '-c', 'import importlib.util as u; print(u.find_spec("jax"), u.find_spec("sctrpn_jax"))'
    ) == ('None None\n')
    return python


@pytest.mark.all
def test_the_models_give_what_flax_gives(exported, reader, shared, tmp_path):
    sequence = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'OTB', ['Crossing'])[0]
    frame = images.read_image(sequence.frames[0])
    made = onnx_models.models(*pretrained.load_pretrained())
    values = {'target': np.float32([[28, 82]])}
    for name in ('template.image', 'search.crop', 'search_far.crop'):
        model, key = name.split('.')
        side = made[f'{model}.onnx'].inputs[key].shape[1]
        tiled = np.tile(frame, (2, 2, 1))[:side, :side]
        values[name] = tiled[None].astype(np.float32)
    np.savez(tmp_path / 'inputs.npz', **values)
    assert run(reader, '-I', '-c', RUNNER, exported, tmp_path / 'inputs.npz', tmp_path / 'outputs.npz') == '\n'
    with np.load(tmp_path / 'outputs.npz') as file:
        found = dict(file)
    for name, model in made.items():
        prefix = '' if name == 'template.onnx' else f'{name.removesuffix(".onnx")}.'
        taken = [values.get(f'{name.removesuffix(".onnx")}.{key}', found.get(key)) for key in model.inputs]
        for key, wanted in zip(model.outputs, jax.jit(model.function)(*taken), strict=True):
            got = found[prefix + key]
            assert got.dtype == wanted.dtype and (key == 'mask' or np.ptp(wanted) > 0)
            tolerance = 1e-3 * max(1, float(np.abs(np.float32(wanted)).max()))
            np.testing.assert_allclose(np.float32(got), np.float32(wanted), atol=tolerance, err_msg=key)


@pytest.mark.all
def test_the_example_has_the_trackers_boxes_on_a_real_sequence(exported, reader, shared):
    sequence = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'OTB', ['Crossing'])[0]
    box = ','.join(f'{value:g}' for value in sequence.boxes[0])
    pattern = str(pathlib.Path(sequence.frames[0]).parent / '%04d.jpg')
    command = [f'--models={exported}', f'--video={pattern}', f'--box={box}']
    rows = list(csv.DictReader(run(reader, REPOSITORY / 'docs' / 'onnx' / 'track.py', *command).splitlines()))
    assert len(rows) == len(sequence.frames)
    live = tracker.Tracker(*pretrained.load_pretrained())
    live.init(images.read_image(sequence.frames[0]), sequence.boxes[0])
    for path, row in zip(sequence.frames[1:], rows[1:], strict=True):
        wanted = live.update(images.read_image(path))
        np.testing.assert_allclose([float(row[key]) for key in 'xywh'], wanted.box, atol=0.01)
        np.testing.assert_allclose(float(row['score']), wanted.score, atol=1e-3)
        assert int(row['hidden']) == wanted.hidden


@pytest.mark.parametrize('flag', ['--frame_size=64x48', '--platforms=cpu', '--batch=2'])
def test_flags_of_the_other_format_are_refused(flag, tmp_path):
    parser = arguments.Parser(prog='export')
    export.add_arguments(parser)
    with pytest.raises(ValueError, match='is for --format=stablehlo; ONNX models take crops of one target'):
        export.main(parser.parse_args([f'--output={tmp_path / "out"}', '--format=onnx', flag]))


@pytest.mark.skipif(bool(importlib.util.find_spec('jax2onnx')), reason='jax2onnx is installed')
def test_without_jax2onnx_the_extra_is_named(network, tmp_path):
    with pytest.raises(ValueError, match=r"exporting needs jax2onnx; install it: pip install 'sctrpn_jax\[onnx\]'"):
        onnx_models.write(tmp_path / 'out', *network)
    assert not (tmp_path / 'out').exists()


def test_a_frame_size_is_asked_for(tmp_path):
    parser = arguments.Parser(prog='export')
    export.add_arguments(parser)
    with pytest.raises(ValueError, match='give --frame_size'):
        export.main(parser.parse_args([f'--output={tmp_path / "out"}']))
