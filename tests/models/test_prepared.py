"""A network with prepared weights is the plain one, to rounding."""

import jax
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.models import prepared, sctrpn


@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_a_prepared_network_gives_the_same_boxes(precision):
    c = config.ModelConfig(precision=precision)
    c.backbone.widths, c.channels, c.cascade.layers = (16,) * 5, 16, (5, 4)
    model = sctrpn.SCTRPN(c)
    variables = sctrpn.init_variables(model, 0)
    made = prepared.prepare(variables, c)
    assert ('winograd' in made) == (precision == 'float32')
    assert prepared.prepare(made, c) is made
    draw = np.random.default_rng(0).integers
    crops = [draw(0, 256, (1, side, side, 3)).astype(np.float32) for side in (127, 143)]
    ours, wanted = jax.jit(model.apply)(made, *crops), jax.jit(model.apply)(variables, *crops)
    np.testing.assert_allclose(ours.boxes, wanted.boxes, atol=1e-2)
    np.testing.assert_allclose(ours.logits, wanted.logits, atol=1e-3)
