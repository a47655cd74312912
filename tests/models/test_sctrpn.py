"""The whole network: every variant runs, stages chain by Eq. 6, features of all stages stay aligned with the crop."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import boxes, grid
from sctrpn_jax.models import cascade, matching, sctrpn


def small(**changes) -> config_lib.ModelConfig:
    """A narrow network; `section__field=value` changes a field."""
    c = config_lib.ModelConfig()
    c.backbone.widths, c.backbone.groups = (8, 8, 12, 12, 16), (1, 2, 1, 2, 2)
    c.channels, c.matching = 16, True
    for name, value in changes.items():
        section, _, field = name.rpartition('__')
        setattr(getattr(c, section) if section else c, field, value)
    return c


def images(size, seed=0):
    return jax.random.uniform(jax.random.key(seed), (2, size, size, 3), maxval=255.0)


# Two stages have every part that three have, and compile in half the time.
VARIANTS = [
    {'cascade__layers': (5, 4, 3)},
    {'cascade__layers': (5,)},
    {'fem__transform': 'resize'},
]
MORE_VARIANTS = [
    {'fem__grid': 'stretch'},
    {'fem__stn_on': 'template'},
    {'fem__stn_on': 'search', 'fem__stn_first': True},
    {'correlation': 'upchannel'},
    {'correlation': 'none', 'matching': False},
    {'backbone__norm': 'batch', 'matching': False},
]


@pytest.mark.parametrize(
    'changes',
    [*VARIANTS, *(pytest.param(each, marks=pytest.mark.all) for each in MORE_VARIANTS)],
    ids=lambda c: ','.join(f'{k}={v}' for k, v in c.items()),
)
def test_variants_run_train_and_chain_their_anchors(changes):
    c = small(**{'cascade__layers': (5, 4)} | changes)
    model = sctrpn.SCTRPN(c)
    variables = sctrpn.init_variables(model, 0)

    @jax.jit
    def loss(params):
        out, updated = model.apply(
            variables | {'params': params},
            images(127),
            images(255, 1),
            train=True,
            first_trained=1,
            mutable=['batch_stats'],
        )
        return (out.logits**2).sum() + (out.deltas**2).sum(), (out, updated)

    (_, (out, _)), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(variables['params'])
    stages = len(c.cascade.layers)
    assert out.logits.shape == (2, stages, 1445) and out.deltas.shape == (2, stages, 1445, 4)
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradient))
    used = [float(jnp.abs(g).sum()) for g in jax.tree.leaves(gradient['backbone'])]
    assert min(used) > 0
    for stage in range(stages):
        wanted = boxes.decode(out.anchors[:, stage], out.deltas[:, stage], cascade.MAX_LOG_SIZE)
        np.testing.assert_allclose(out.boxes[:, stage], wanted, rtol=1e-5, atol=1e-3)
        if stage:
            np.testing.assert_array_equal(out.anchors[:, stage], out.boxes[:, stage - 1])
            assert not np.any(out.mask[:, stage] & ~out.mask[:, stage - 1])


def test_frozen_backbone_gets_no_gradient():
    model = sctrpn.SCTRPN(small(cascade__layers=(5, 4)))
    variables = sctrpn.init_variables(model, 0)

    def loss(params):
        out = model.apply(variables | {'params': params}, images(127), images(255, 1))
        return (out.logits**2).sum()

    gradient = jax.jit(jax.grad(loss))(variables['params'])
    assert all((np.asarray(g) == 0).all() for g in jax.tree.leaves(gradient['backbone']))
    assert any((np.asarray(g) != 0).any() for g in jax.tree.leaves(gradient['stages_0']))


def test_template_and_search_apart_equal_the_joint_call():
    model = sctrpn.SCTRPN(small())
    variables = sctrpn.init_variables(model, 0)
    joint = jax.jit(model.apply)(variables, images(127), images(255, 1))
    template = jax.jit(functools.partial(model.apply, method='template'))(variables, images(127))
    apart = jax.jit(functools.partial(model.apply, method='search'))(variables, template, images(255, 1))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), joint, apart)


@pytest.mark.parametrize('size', [255, 271, 287])
def test_search_sizes(size):
    model = sctrpn.SCTRPN(small(cascade__layers=(5, 3)))
    variables = sctrpn.init_variables(model, 0)
    out = jax.jit(model.apply)(variables, images(127), images(size, 1))
    n = grid.map_size(size)
    assert out.logits.shape[-1] == n * n * 5
    centres = np.asarray(out.anchors[0, 0, :, :2])
    np.testing.assert_allclose(centres.mean(0), size / 2, rtol=1e-6)
    assert sctrpn.response_maps(out.logits, size).shape == (2, 2, n, n)


@pytest.mark.parametrize('transform', ['stn', 'resize'])
def test_displaced_crop_moves_every_stage_by_the_same_pixels(transform):
    """The template, pasted d pixels off the centre, peaks d pixels off the centre in every stage (aligned grid)."""
    model = sctrpn.SCTRPN(small(fem__transform=transform))
    variables = sctrpn.init_variables(model, 3)
    fuse = jax.jit(
        lambda images, branch: model.apply(variables, images, branch, False, 6, method='_fuse'), static_argnums=1
    )
    rng = np.random.default_rng(0)
    template = rng.uniform(0, 255, (127, 127, 3)).astype(np.float32)
    for dx, dy in ((0, 0), (24, -16), (-48, 40), (56, 56)):
        search = rng.uniform(0, 255, (255, 255, 3)).astype(np.float32)
        search[64 + dy : 191 + dy, 64 + dx : 191 + dx] = template
        fused = [fuse(image[None], branch) for image, branch in ((template, 'template'), (search, 'search'))]
        maps = [
            matching.cosine(z, np.ones(z.shape[:3], np.float32), x)[0]
            for kind in (0, 1)
            for z, x in zip(fused[0][kind], fused[1][kind], strict=True)
        ]
        assert len(maps) == 6
        for response in maps:
            row, column = divmod(int(response.argmax()), 17)
            assert ((column - 8) * 8, (row - 8) * 8) == (dx, dy)


def test_matching_starts_training_at_the_plain_match():
    """Before the first step a stage's score is the mean cosine of its layer's features and those before it."""
    model = sctrpn.SCTRPN(small())
    variables = sctrpn.init_variables(model, 0)
    template, search = images(127), images(255, 1)
    target = np.array([[60.0, 30.0], [20.0, 90.0]], np.float32)
    out = jax.jit(model.apply)(variables, template, search, target)
    z, x = (
        model.apply(variables, i, b, False, 6, method='_fuse')[1]
        for i, b in ((template, 'template'), (search, 'search'))
    )
    match = 0.0
    for stage in range(3):
        mask = matching.target_mask(target, z[stage].shape[1])
        match = match + np.asarray(matching.cosine(z[stage], mask, x[stage])).reshape(2, -1)
        score = np.asarray(out.logits[:, stage]).reshape(2, -1, 5)[..., 2]
        for b in range(2):
            assert np.corrcoef(match[b], score[b])[0, 1] > 0.9


def test_anchors_of_the_targets_shape_start_from_the_template():
    c = small(cascade__layers=(5,), anchors__shape='target', anchors__ratios=(1.0,))
    model = sctrpn.SCTRPN(c)
    variables = sctrpn.init_variables(model, 0)
    target = jnp.array([[40.0, 80.0], [64.0, 20.0]])
    out = jax.jit(model.apply)(variables, images(127), images(143, 1), target)
    assert out.anchors.shape == (2, 1, 9, 4)
    np.testing.assert_allclose(out.anchors[:, 0, :, 2:], np.tile(target[:, None], (1, 9, 1)))
    with pytest.raises(ValueError, match=r"anchors.shape is 'target', so it needs target"):
        jax.eval_shape(model.apply, variables, images(127), images(143, 1))
