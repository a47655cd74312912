"""Readers of networks: weights files, published weights, checkpoints, exported folders; and of config values."""

import functools
import json
import pathlib
import typing

import numpy as np
from worker import Reader

TESTS = pathlib.Path(__file__).resolve().parents[1]
SIZES = (11, 5, 3, 3, 3)


def tiny_config():
    """Two stages of four channels."""
    from sctrpn_jax import config_files

    return config_files.call(TESTS / 'training' / 'tiny_config.py', 'get_config')


@functools.cache
def variables() -> dict:
    """Of `tiny_config`, random."""
    import jax

    from sctrpn_jax.models import sctrpn

    return jax.device_get(sctrpn.init_variables(sctrpn.SCTRPN(tiny_config().model), 0))


def smallest_config():
    """One stage of them: a checkpoint of few files, which is read in a tenth of a second."""
    config = tiny_config()
    config.model.cascade.layers, config.model.matching = (5,), False
    return config


def remember_shapes() -> None:
    """Tracing the network takes half a second, and most tries keep the config."""
    from sctrpn_jax import config_values
    from sctrpn_jax.weights import network_file

    if hasattr(network_file.wanted_arrays, 'known'):
        return
    known: dict[str, typing.Any] = {}
    trace = network_file.wanted_arrays

    def wanted(config):
        key = json.dumps(config_values.to_dict(config.model))
        if key not in known:
            known[key] = trace(config)
        return known[key]

    wanted.known = known
    network_file.wanted_arrays = wanted


def same_shapes(found: dict, sound: dict) -> None:
    """Arrays of the right names and shapes, all finite."""
    import jax

    assert jax.tree.structure(found) == jax.tree.structure(sound), 'other names'
    for array, wanted in zip(jax.tree.leaves(found), jax.tree.leaves(sound), strict=True):
        assert array.shape == wanted.shape and array.dtype == np.float32, 'another form'
        assert np.isfinite(array).all(), 'not finite'


def build_network(folder: pathlib.Path) -> None:
    from sctrpn_jax.weights import network_file

    network_file.write(folder / 'w.npz', variables(), tiny_config())


def read_network(folder: pathlib.Path):
    from sctrpn_jax.weights import loading

    remember_shapes()
    return loading.load_network(folder / 'w.npz')


def check_network(found, sound) -> None:
    from sctrpn_jax import config_values
    from sctrpn_jax.weights import network_file

    config_values.check(found[1])
    wanted = network_file.wanted_arrays(found[1])
    assert {name: tuple(x.shape) for name, x in network_file.by_name(found[0]).items()} == {
        name: tuple(x.shape) for name, x in wanted.items()
    }
    for array in network_file.by_name(found[0]).values():
        assert array.dtype == np.float32 and np.isfinite(array).all()


def layers(widths=(6, 12, 8, 4, 4)) -> dict:
    rng, made, inputs = np.random.default_rng(0), {}, 3
    for i, (size, width) in enumerate(zip(SIZES, widths, strict=True), 1):
        kernel = rng.normal(size=(size, size, inputs, width)).astype(np.float32)
        made[f'conv{i}'] = {'kernel': kernel, 'bias': rng.normal(size=width).astype(np.float32)}
        inputs = width
    return made


def build_backbone(folder: pathlib.Path) -> None:
    from sctrpn_jax.weights import backbone

    backbone.write_npz(folder / 'w.npz', backbone.Weights(layers(), mean=(120.0, 110.0, 100.0), norm='lrn'))


def build_safetensors(folder: pathlib.Path) -> None:
    import safetensors.numpy

    prefixes = ('features.0', 'features.3', 'features.6', 'features.8', 'features.10')
    state = {}
    for prefix, layer in zip(prefixes, layers().values(), strict=True):
        state[f'{prefix}.weight'] = np.ascontiguousarray(layer['kernel'].transpose(3, 2, 0, 1))
        state[f'{prefix}.bias'] = layer['bias']
    safetensors.numpy.save_file(state, folder / 'w.safetensors')


def build_matconvnet(folder: pathlib.Path) -> None:
    import scipy.io

    cells = []
    for name, layer in layers().items():
        weights = np.empty((1, 2), object)
        weights[0, 0], weights[0, 1] = layer['kernel'], layer['bias'][None, :]
        cells.append({'name': name, 'type': 'conv', 'stride': np.ones((1, 2)), 'weights': weights})
    row = np.empty((1, len(cells)), object)
    for i, cell in enumerate(cells):
        row[0, i] = cell
    content = {'layers': row, 'normalization': {'averageImage': np.full((4, 4, 3), 100.0)}}
    scipy.io.savemat(folder / 'w.mat', content, do_compression=True)


def read_published(folder: pathlib.Path):
    from sctrpn_jax.weights import published

    return published.read(next(each for each in sorted(folder.iterdir()) if each.name.startswith('w.')))


def read_published_or_name(folder: pathlib.Path):
    names = sorted(each.name for each in folder.iterdir())
    if not names:
        raise ValueError(f'{folder}: nothing there')
    return read_published(folder)


def check_layers(found, sound) -> None:
    inputs = 3
    for name, size in zip(sound.layers, SIZES, strict=True):
        kernel, bias = found.layers[name]['kernel'], found.layers[name]['bias']
        assert kernel.shape[:2] == (size, size) and inputs % kernel.shape[2] == 0 and kernel.shape[3:] == bias.shape
        assert np.isfinite(kernel).all() and np.isfinite(bias).all()
        inputs = kernel.shape[3]
    assert np.isfinite([*found.mean, *found.std]).all()


def build_run(folder: pathlib.Path) -> None:
    from sctrpn_jax.training import checkpoint, train_state

    checkpoints = checkpoint.Checkpoints(folder)
    state = train_state.create_train_state(smallest_config())
    checkpoints.save(6, state, {'pairs': 12, 'best_auc': -1.0}, smallest_config())
    checkpoints.close()


def read_run(folder: pathlib.Path):
    from sctrpn_jax.weights import loading

    remember_shapes()
    return loading.load_network(folder)


@functools.cache
def fresh_state():
    from sctrpn_jax.training import train_state

    return train_state.create_train_state(smallest_config())


def read_resumed(folder: pathlib.Path):
    from sctrpn_jax.training import checkpoint

    checkpoints = checkpoint.Checkpoints(folder)
    try:
        if checkpoints.latest_step() is None:
            raise ValueError(f'{folder}: a new run')
        return checkpoints.restore(fresh_state())
    finally:
        checkpoints.close()


def check_resumed(found, sound) -> None:
    state, position = found
    same_shapes(state.variables, sound[0].variables)
    assert type(position['best_auc']) in (int, float)


def build_export(folder: pathlib.Path) -> None:
    from sctrpn_jax.export import target, writer

    writer.write(folder / 'out', variables(), tiny_config(), target.Target((160, 120), ('cpu',)))


def read_export(folder: pathlib.Path):
    from sctrpn_jax.export import exported

    return exported.ExportedTracker(folder / 'out')


def check_export(found, sound) -> None:
    assert found._weights.keys() == sound._weights.keys()
    for name, array in sound._weights.items():
        np.testing.assert_array_equal(found._weights[name], array)
    # The programs' bytes have a checksum, so that what is left to differ is what frames they are given.
    assert (found._largest, found.manifest['batch']) == (sound._largest, sound.manifest['batch'])


def build_values(folder: pathlib.Path) -> None:
    from sctrpn_jax import config_values

    (folder / 'c.json').write_text(json.dumps(config_values.to_dict(tiny_config())))


def read_values(folder: pathlib.Path):
    from sctrpn_jax import bounded, config, config_values

    try:
        content = bounded.read_json(folder / 'c.json', 'a config')
        return config_values.check(config_values.from_dict(content, config.Config))
    except FileNotFoundError:
        raise
    except ValueError as error:  # without a file the field is what is named
        assert str(error).startswith(('config', str(folder))), error
        raise ValueError(f'{folder}: {error}') from error


def check_values(found, sound) -> None:
    """A step of the schedule, and the network's shapes, can be worked out."""
    from sctrpn_jax.training import optimiser
    from sctrpn_jax.weights import network_file

    remember_shapes()
    assert 0 < optimiser.total_steps(found.train) < 2**32
    assert np.isfinite(float(optimiser.make_schedule(found.train)(0)))
    assert network_file.wanted_arrays(found)


READERS = {
    'network': Reader(build_network, read_network, check_network),
    'backbone': Reader(build_backbone, read_published_or_name, check_layers),
    'safetensors': Reader(build_safetensors, read_published_or_name, check_layers),
    'matconvnet': Reader(build_matconvnet, read_published_or_name, check_layers),
    'run': Reader(build_run, read_run, check_network),
    'resumed run': Reader(build_run, read_resumed, check_resumed),
    'export': Reader(build_export, read_export, check_export),
    'config': Reader(build_values, read_values, check_values),
}
