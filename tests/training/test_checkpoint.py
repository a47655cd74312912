"""A checkpoint that cannot be written is one line, and the one before it stays."""

import resource

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.training import checkpoint


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # of tensorstore's threads
def test_a_full_disk_is_one_line_and_keeps_the_one_before(tmp_path):
    def state(seed):
        return {'w': jax.numpy.asarray(np.random.default_rng(seed).normal(size=(256, 1024)), np.float32)}

    first = checkpoint.Checkpoints(tmp_path)
    first.save(1, state(1), {'pairs': 1, 'best_auc': 0.5}, config_lib.Config())
    first.close()
    second = checkpoint.Checkpoints(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # no file of the 1 MiB may be written whole
    try:
        with pytest.raises(OSError) as raised:
            second.save(2, state(2), {'pairs': 2, 'best_auc': 0.5}, config_lib.Config())
            second.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = str(raised.value)
    assert said.startswith(f'{tmp_path}/checkpoints: a checkpoint cannot be written: ') and '\n' not in said
    assert 'File too large' in said and said.endswith('goes on from the last one that is whole')
    third = checkpoint.Checkpoints(tmp_path)
    restored, position = third.restore(state(0))
    third.close()
    assert position == {'pairs': 1, 'best_auc': 0.5}
    np.testing.assert_array_equal(restored['w'], state(1)['w'])
