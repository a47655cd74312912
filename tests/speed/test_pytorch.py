"""The yardstick computes what our network computes."""

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.models import sctrpn
from sctrpn_jax.speed import pytorch

torch = pytest.importorskip('torch')


@pytest.mark.parametrize('norm', ['lrn', 'batch'])
def test_both_networks_give_the_same(norm):
    config = config_lib.Config()
    config.model.backbone.widths, config.model.backbone.groups = (8, 8, 12, 12, 16), (1, 2, 1, 2, 2)
    config.model.backbone.norm = norm
    config.model.channels = 16
    c = pytorch.one_stage(config)
    model = sctrpn.SCTRPN(c)
    variables = sctrpn.init_variables(model, 0)
    rng = np.random.default_rng(0)
    # Statistics and scales that are not those of a fresh norm.
    variables = jax.tree.map(lambda x: x + rng.uniform(0, 0.3, x.shape).astype(np.float32), variables)
    images = [rng.uniform(0, 255, (1, size, size, 3)).astype(np.float32) for size in (127, 255)]
    ours = jax.jit(model.apply)(variables, *images)
    theirs = pytorch.TorchNetwork(variables, c)
    tensors = [torch.from_numpy(x).permute(0, 3, 1, 2) for x in images]
    logits, deltas = theirs.search(theirs.template(tensors[0]), tensors[1])
    for got, wanted in ((logits, ours.logits[:, 0]), (deltas, ours.deltas[:, 0])):
        wanted = np.asarray(wanted)
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-3, atol=1e-3 * abs(wanted).max())


def test_the_comparison_is_a_ratio_of_one_run():
    config = config_lib.Config()
    config.model.backbone.widths, config.model.backbone.groups = (4,) * 5, (1,) * 5
    config.model.channels = 4
    result = pytorch.compare(config, 0.05)
    expected = result['pytorch']['median_ms'] / result['jax']['median_ms']
    assert result['speed_over_pytorch'] == pytest.approx(expected)
