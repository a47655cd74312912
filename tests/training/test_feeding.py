"""Both feeding modes train alike; the resident one runs where Grain and TFDS are not installed."""

import importlib.util
import pathlib
import subprocess
import sys

import cv2
import jax
import numpy as np
import pytest

from sctrpn_jax.training import feeding

HERE = pathlib.Path(__file__).parent
REPOSITORY = HERE.parent.parent
BLOCKED = """
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split('.')[0] in ('grain', 'tensorflow_datasets', 'array_record'):
            raise ImportError(f'{name} is not installed')
sys.meta_path.insert(0, Block())
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def tiny():
    spec = importlib.util.spec_from_file_location('tiny_config', HERE / 'tiny_config.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


def write_source(root, count=4):
    (root / 'things' / 'img').mkdir(parents=True)
    rng, lines = np.random.default_rng(0), ['image,track,frame,class,x,y,w,h']
    for i in range(count):
        image = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (240, 180))
        cv2.imwrite(str(root / 'things' / 'img' / f'{i}.png'), image)
        lines.append(f'img/{i}.png,{i // 2},{i},c,{80 + 5 * i},60,50,40')
    (root / 'things' / 'boxes.csv').write_text('\n'.join(lines) + '\n')


def test_both_modes_feed_the_step_alike(tmp_path):
    write_source(tmp_path)
    mesh = jax.make_mesh((1,), ('data',), axis_types=(jax.sharding.AxisType.Auto,))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    fed = {}
    for mode in ('streaming', 'resident'):
        config = tiny()
        config.data.root, config.data.feeding, config.data.negative_share = str(tmp_path), mode, 0.3
        feed = feeding.make_feeding(config, 3, everywhere, everywhere)
        fed[mode] = [jax.tree.map(np.asarray, jax.jit(feed.expand)(next(feed.batches))) for _ in range(3)]
        feed.close()
    for a, b in zip(*fed.values(), strict=True):
        assert sorted(a) == sorted(b)
        np.testing.assert_array_equal(a['search'], b['search'])
        np.testing.assert_array_equal(a['position'], b['position'])
        assert np.abs(a['template'].astype(int) - b['template']).max() <= 6  # OpenCV 4 rounds positions
    assert fed['resident'][0]['position'].tolist() == [6, 7]


@pytest.mark.all
def test_resident_training_needs_no_grain(tmp_path):
    write_source(tmp_path)
    options = ['--config', str(HERE / 'tiny_config.py'), f'--config.data.root={tmp_path}', '--workdir']
    smaller = [
        '--config.train.phases[0].epochs=0.5',
        '--config.train.phases[1].epochs=0.1',
        '--config.model.cascade.layers=(5,)',
    ]
    command = [sys.executable, '-c', BLOCKED, str(REPOSITORY / 'bin' / 'train'), *options]
    resident = [*command, str(tmp_path / 'resident'), *smaller, '--config.data.feeding=resident']
    done = subprocess.run(resident, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert '4 patches of 455 pixels' in done.stderr
    streaming = [*command, str(tmp_path / 'streaming'), *smaller]
    done = subprocess.run(streaming, capture_output=True, text=True, timeout=600)
    assert done.returncode == 2
    assert 'data.feeding=streaming needs grain' in done.stderr.splitlines()[-1]
