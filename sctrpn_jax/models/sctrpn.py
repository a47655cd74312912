"""SCTRPN: backbone, FEM and a cascade of RPN stages, with every stage's result kept (Fig. 2, Algorithm 1)."""

import contextlib
import typing

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import anchors as anchors_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.models import alexnet, cascade, fem, matching, rpn, stn


@struct.dataclass
class StageOutputs:
    """All stages' results for a batch of search crops; L stages, N anchors, boxes in search-crop pixels.

    Attributes:
      logits: [B, L, N] of the target probability p.
      deltas: [B, L, N, 4] regression output (Eq. 5's code).
      anchors: [B, L, N, 4] centre form: the anchors that each stage scored (A_l).
      boxes: [B, L, N, 4] the same refined by the stage's own deltas (A_{l+1}); the last are the proposals.
      mask: [B, L, N] bool: anchors that the stages before did not drop.
      motions: [B, L, 5] of the STN on the search branch, see `stn.warp_points`.
    """

    logits: chex.Array
    deltas: chex.Array
    anchors: chex.Array
    boxes: chex.Array
    mask: chex.Array
    motions: chex.Array


NONE_TRAINED = 6  # as `first_trained`: the backbone, which has five layers, is frozen


class SCTRPN(nn.Module):
    """The network; `template` runs once per sequence, `search` once per frame, `__call__` does both for training.

    Attributes:
      config: `ModelConfig`.
    """

    config: config_lib.ModelConfig

    def setup(self) -> None:
        """Makes the parts."""
        c = self.config
        layers = c.cascade.layers
        dtype = jnp.bfloat16 if c.precision == 'bfloat16' else jnp.float32
        self.backbone = alexnet.AlexNet(
            widths=c.backbone.widths,
            groups=c.backbone.groups,
            norm=c.backbone.norm,
            layers=tuple(layers),
            dtype=dtype,
        )
        limits: dict[str, typing.Any] = {
            'max_angle': c.fem.max_angle,
            'max_scale': c.fem.max_scale,
            'max_shift': c.fem.max_shift,
        }
        if c.fem.stn_first and c.fem.transform == 'stn':
            self.first_stn = stn.LocalisationNet(**limits)
        self.fems = [fem.FEM(c.channels, c.fem.transform, c.fem.grid, **limits, dtype=dtype) for _ in layers[1:]]
        stage = {'channels': c.channels, 'anchors': len(c.anchors.ratios), 'form': c.correlation, 'dtype': dtype}
        self.stages: list[typing.Any]  # only `MatchedRPN` has `match`
        if c.matching:
            # A stage sees the cosines of the layers before it, as it does their features.
            self.stages = [matching.MatchedRPN(**stage, matches=i + 1) for i in range(len(layers))]
        else:
            self.stages = [rpn.RPN(**stage) for _ in layers]

    def _fuse(
        self, images: chex.Array, branch: str, train: bool, first_trained: int
    ) -> tuple[list[chex.Array], list[chex.Array], list[chex.Array]]:
        maps = self.backbone(images, train, first_trained)
        return self.fuse_maps([maps[layer] for layer in self.config.cascade.layers], branch)

    def fuse_maps(
        self, maps: list[chex.Array], branch: str
    ) -> tuple[list[chex.Array], list[chex.Array], list[chex.Array]]:
        """The FEMs, one after the other.

        Args:
          maps: backbone map of each stage, [B, m, m, C].
          branch: `template` or `search`, for `fem.stn_on`.

        Returns:
          Of each stage: fused map Phi_l [B, n, n, C'], backbone map [B, m, m, C], [B, 5] motion of the STN.
        """
        c = self.config
        maps = [unit_rms(x) for x in maps]
        warp = c.fem.transform == 'stn' and c.fem.stn_on in ('both', branch)
        fused, motions = [maps[0]], [stn.identity_motion(maps[0].shape[0])]
        size = maps[0].shape[1]
        if warp and c.fem.stn_first:
            motions[0] = self.first_stn(maps[0])
            points = jax.vmap(lambda m: stn.warp_points(m, jnp.asarray(stn.cell_grid(size)), (size - 1) / 2))
            fused[0] = stn.sample_maps(maps[0], points(motions[0]))
        for transfer, current in zip(self.fems, maps[1:], strict=True):
            result, motion = transfer(fused[-1], current, warp)
            fused.append(result)
            motions.append(motion)
        return fused, maps, motions

    def template(
        self, images: chex.Array, train: bool = False, first_trained: int = NONE_TRAINED
    ) -> list[dict[str, chex.Array]]:
        """Target model of each stage.

        Args:
          images: [B, 127, 127, 3] RGB 0..255, target in the middle.
          train: batch statistics in the heads' norms.
          first_trained: the first backbone layer that gradients reach, 1..5; above: none.

        Returns:
          L entries for `search`.
        """
        with products(self.config.precision):
            fused, backbone, _ = self._fuse(images, 'template', train, first_trained)
            made = [stage.template(f, train) for stage, f in zip(self.stages, fused, strict=True)]
            if self.config.matching:
                made = [target | {'backbone': plain} for target, plain in zip(made, backbone, strict=True)]
            return made

    def search(
        self,
        template: list[dict[str, chex.Array]],
        images: chex.Array,
        target: chex.Array | None = None,
        train: bool = False,
        first_trained: int = NONE_TRAINED,
    ) -> StageOutputs:
        """Runs the cascade on search crops.

        Args:
          template: of `template`, the same batch.
          images: [B, S, S, 3] RGB 0..255, S = 255, 271, 287 (any 8 n + 7 from 127 up).
          target: [B, 2] (w, h) of the target in the template crop, pixels. None: the square that the crop's context
            gives a square target, which is not for `anchors.shape='target'`.
          train: as above.
          first_trained: as above.

        Returns:
          `StageOutputs`.

        Raises:
          ValueError: anchors of the target's shape without `target`.
        """
        with products(self.config.precision):
            return self._search(template, images, target, train, first_trained)

    def _search(
        self,
        template: list[dict[str, chex.Array]],
        images: chex.Array,
        target: chex.Array | None,
        train: bool,
        first_trained: int,
    ) -> StageOutputs:
        c = self.config
        fused, backbone, motions = self._fuse(images, 'search', train, first_trained)
        anchors = self._anchors(images, target)
        mask = jnp.ones(anchors.shape[:2], bool)
        kept: dict[str, list[chex.Array]] = {name: [] for name in ('logits', 'deltas', 'anchors', 'boxes', 'mask')}
        for logits, deltas in self.score(template, fused, backbone, target, train):
            refined = cascade.refine_anchors(anchors, deltas)
            for name, value in zip(kept, (logits, deltas, anchors, refined, mask), strict=True):
                kept[name].append(value)
            mask = cascade.filter_anchors(mask, logits, c.cascade.theta)
            anchors = refined
        kept['motions'] = motions
        return StageOutputs(**{name: jnp.stack(values, axis=1) for name, values in kept.items()})

    def score(
        self,
        template: list[dict[str, chex.Array]],
        fused: list[chex.Array],
        backbone: list[chex.Array],
        target: chex.Array | None = None,
        train: bool = False,
    ) -> list[tuple[chex.Array, chex.Array]]:
        """Every stage's logits [B, N] and deltas [B, N, 4]; no stage reads another's.

        Args:
          template: of `template`.
          fused: what `fuse_maps` gave for the search branch, of each stage.
          backbone: the backbone maps that it gave.
          target: the argument of `search`.
          train: batch statistics in the heads' norms.
        """
        results = [
            stage.search(known, features, train)
            for stage, known, features in zip(self.stages, template, fused, strict=True)
        ]
        if self.config.matching:
            cosines = matching.cosines([known['backbone'] for known in template], backbone, target)
            results = [
                (logits + stage.match(cosines), deltas)
                for stage, (logits, deltas) in zip(self.stages, results, strict=True)
            ]
        return results

    def _anchors(self, images: chex.Array, target: chex.Array | None) -> chex.Array:
        c = self.config.anchors
        if c.shape == 'target':
            if target is None:
                raise ValueError("search: config.model.anchors.shape is 'target', so it needs target=[B, 2] (w, h)")
            return anchors_lib.target_anchors(images.shape[1], c.ratios, target)
        fixed = anchors_lib.make_anchors(images.shape[1], c.ratios)
        return jnp.tile(jnp.asarray(fixed)[None], (images.shape[0], 1, 1))

    def __call__(
        self,
        templates: chex.Array,
        searches: chex.Array,
        target: chex.Array | None = None,
        train: bool = False,
        first_trained: int = NONE_TRAINED,
    ) -> StageOutputs:
        """[B, 127, 127, 3] and [B, S, S, 3] RGB 0..255 (and [B, 2], see `search`) to `StageOutputs`."""
        return self.search(self.template(templates, train, first_trained), searches, target, train, first_trained)


def products(precision: str) -> contextlib.AbstractContextManager:
    """Context in which products are traced at a `config.model.precision`."""
    # NVIDIA GPUs round the factors of float32 products to TF32 unless told not to.
    return jax.default_matmul_precision('highest' if precision == 'float32' else 'default')


def unit_rms(features: chex.Array) -> chex.Array:
    """Divides each image's [h, w, C] map by its root mean square: layers differ in scale by orders of magnitude."""
    square = jnp.mean(jnp.square(features.astype(jnp.float32)), axis=(1, 2, 3), keepdims=True)
    return features * jax.lax.rsqrt(square + 1e-6).astype(features.dtype)


def response_maps(logits: chex.Array, search_size: int) -> chex.Array:
    """The stages' target probabilities as maps, the largest over the ratios (Fig. 4).

    Args:
      logits: [..., N].
      search_size: pixels.

    Returns:
      [..., n, n] in 0..1.
    """
    size = grid.map_size(search_size)
    return jax.nn.sigmoid(logits).reshape(*logits.shape[:-1], size, size, -1).max(axis=-1)


def init_variables(model: SCTRPN, seed: int) -> dict:
    """Fresh variables ('params' and, with batch norm, 'batch_stats'); the same on every machine of one kind.

    Args:
      model: the network.
      seed: of the random numbers.

    Returns:
      What `model.apply` takes.
    """
    c = model.config
    shapes = [np.zeros((1, size, size, 3), np.float32) for size in (grid.TEMPLATE_SIZE, c.search_size)]
    # The default generator's code, written out once per parameter, takes three times as long to compile.
    return jax.jit(model.init)(jax.random.key(seed, impl='rbg'), *shapes, np.ones((1, 2), np.float32))
