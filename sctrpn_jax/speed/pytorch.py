"""The one-stage network in PyTorch with the same weights, as a yardstick for speed: same shapes, threads and run."""

import copy
import functools
import os
import typing

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.kernels import local_response_norm as lrn
from sctrpn_jax.models import alexnet, matching, prepared, sctrpn
from sctrpn_jax.speed import timing


def one_stage(config: config_lib.Config) -> config_lib.ModelConfig:
    """The config's network cut to its first stage, in the form that is written out below (depthwise, with matching)."""
    model = copy.deepcopy(config.model)
    model.cascade.layers = model.cascade.layers[:1]
    model.correlation, model.matching = 'depthwise', True
    model.fem.stn_first, model.precision, model.anchors.shape = False, 'float32', 'fixed'
    return model


class TorchNetwork:
    """Template and search branch of a one-stage `SCTRPN`, without gradients.

    Args:
      variables: of the `SCTRPN`.
      model: its config, of `one_stage`.

    Raises:
      ImportError: there is no PyTorch.
    """

    def __init__(self, variables: dict, model: config_lib.ModelConfig):
        import torch  # not a dependency of the project

        self._torch, self._functional, self._model = torch, torch.nn.functional, model
        tensors = jax.tree.map(lambda x: torch.from_numpy(np.array(x)), variables)
        self._params, self._stats = tensors['params'], tensors.get('batch_stats', {})
        cells = grid.feature_size(model.cascade.layers[0], grid.TEMPLATE_SIZE)
        target = np.full((1, 2), grid.TEMPLATE_SIZE / 2, np.float32)
        self._mask = torch.from_numpy(np.array(matching.target_mask(target, cells)))[None]

    def _backbone(self, images):
        c, f = self._model.backbone, self._functional
        mean = self._torch.tensor(alexnet.MEAN).reshape(1, 3, 1, 1)
        x, params = images - mean, self._params['backbone']
        for i in range(1, self._model.cascade.layers[0] + 1):
            layer = params[f'conv{i}']
            x = f.conv2d(x, _oihw(layer['kernel']), layer['bias'], 2 if i == 1 else 1, groups=c.groups[i - 1])
            if c.norm == 'batch':
                x = self._norm(x, params[f'norm{i}'], self._stats['backbone'][f'norm{i}'])
            x = f.max_pool2d(x, 3, 2) if i < 3 else x
            x = f.relu(x)
            if i < 3 and c.norm == 'lrn':
                x = f.local_response_norm(x, 5, alpha=5 * lrn.ALPHA, beta=0.75, k=lrn.KAPPA)
        return x * self._torch.rsqrt((x * x).mean((1, 2, 3), keepdim=True) + 1e-6)

    def _norm(self, x: typing.Any, params: dict, stats: dict) -> typing.Any:
        return self._functional.batch_norm(x, stats['mean'], stats['var'], params['scale'], params['bias'], eps=1e-5)

    def _branch(self, x: typing.Any, name: str, side: str) -> typing.Any:
        params, stats = self._params['stages_0'][name], self._stats['stages_0'][name]
        x = self._functional.conv2d(x, _oihw(params[f'{side}_conv']['kernel']))
        norm = f'{side}_norm'
        return self._functional.relu(self._norm(x, params[norm]['BatchNorm_0'], stats[norm]['BatchNorm_0']))

    def template(self, image):
        """[1, 3, 127, 127] float32 RGB 0..255 to what `search` wants."""
        with self._torch.inference_mode():
            x = self._backbone(image)
            return {name: self._branch(x, name, 'template') for name in ('classification', 'regression')} | {'skip': x}

    def search(self, template, image):
        """Template and [1, 3, S, S] to logits [1, N] and deltas [1, N, 4] in the anchors' order."""
        f = self._functional
        with self._torch.inference_mode():
            x, made = self._backbone(image), {}
            for name in ('classification', 'regression'):
                params, stats = self._params['stages_0'][name], self._stats['stages_0'][name]
                kernel = template[name]
                y = f.conv2d(self._branch(x, name, 'search'), kernel.transpose(0, 1), groups=kernel.shape[1])
                y = f.conv2d(y / (kernel.shape[2] * kernel.shape[3]), _oihw(params['hidden_conv']['kernel']))
                y = f.relu(self._norm(y, params['hidden_norm']['BatchNorm_0'], stats['hidden_norm']['BatchNorm_0']))
                made[name] = f.conv2d(y, _oihw(params['out_conv']['kernel']), params['out_conv']['bias'])
            kernel, stage = template['skip'], self._params['stages_0']
            energy = f.conv2d((x * x).sum(1, keepdim=True), self._mask)
            norm = (kernel * kernel * self._mask).sum()
            match = f.conv2d(x, kernel * self._mask) / self._torch.sqrt(norm * energy + 1e-12)
            gain, bias = (matching.UNIT * stage[part].reshape(1, -1, 1, 1) for part in ('skip_gain', 'skip_bias'))
            scores = (made['classification'] + match * gain + bias).permute(0, 2, 3, 1).reshape(1, -1)
            return scores, made['regression'].permute(0, 2, 3, 1).reshape(1, -1, 4)


def _oihw(kernel):
    return kernel.permute(3, 2, 0, 1)


def compare(config: config_lib.Config, seconds: float) -> dict:
    """Search branch of the one-stage network, batch 1: ours and PyTorch's, in turns.

    Args:
      config: the run's; cut by `one_stage`.
      seconds: for each.

    Returns:
      Milliseconds of each, `speed_over_pytorch` (above 1: we are faster) and the threads PyTorch may use; or why it
      was not measured.
    """
    try:
        import torch
    except ImportError:
        return {'not measured': 'PyTorch is not installed'}
    threads = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    torch.set_num_threads(threads)
    model_config = one_stage(config)
    model = sctrpn.SCTRPN(model_config)
    variables = sctrpn.init_variables(model, 0)
    rng = np.random.default_rng(0)
    template, search = (
        rng.uniform(0, 255, (1, size, size, 3)).astype(np.float32)
        for size in (grid.TEMPLATE_SIZE, model_config.search_size)
    )
    theirs = TorchNetwork(variables, model_config)
    tensors = [torch.from_numpy(x).permute(0, 3, 1, 2).contiguous() for x in (template, search)]
    # Weights are arguments, as in the tracker's step.
    ours = jax.jit(functools.partial(model.apply, method='search'))
    made_fast = jax.jit(lambda variables: prepared.prepare(variables, model_config))(variables)
    made = jax.jit(functools.partial(model.apply, method='template'))(made_fast, template)
    search, their_template = jax.device_put(search), theirs.template(tensors[0])
    calls = {
        'jax': lambda _: jax.block_until_ready(ours(made_fast, made, search)),
        'pytorch': lambda _: theirs.search(their_template, tensors[1]),
    }
    # In turns: what else the machine does meanwhile falls on both.
    times: dict[str, list[np.ndarray]] = {name: [] for name in calls}
    for _ in range(4):
        for name, call in calls.items():
            times[name].append(timing.seconds_of(call, seconds / 4))
    result: dict[str, typing.Any] = {name: timing.summary(np.concatenate(parts)) for name, parts in times.items()}
    result['speed_over_pytorch'] = result['pytorch']['median_ms'] / result['jax']['median_ms']
    return result | {'threads': threads, 'pytorch_version': torch.__version__}
