"""The tracker as compiled programs: one set per config, and weights made fast for the machine that runs them."""

import functools
import json
import typing

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import prepared
from sctrpn_jax.tracking import look
from sctrpn_jax.tracking.track_state import TrackOutput, TrackState
from sctrpn_jax.tracking.track_step import init_state, track_step

# Frame sizes, of all configs, whose programs are kept. Linux gives a process 65,530 pieces of memory, and the programs
# of one size take 2,300: about 28 sizes would use them up.
MAX_SIZES = 16
_sizes: set[tuple[int, tuple[int, ...]]] = set()  # (which programs, frame shape)


class Jitted(typing.NamedTuple):
    """The entry points of one config as `jax.jit` gives them; each compiles once per frame size (and chunk length).

    `step`, `chunk` and `live` take the state's memory for the new one (donation): only the state they return is good
    afterwards. All take the variables first; `prepare` makes the ones with which they are fastest.

    Attributes:
      prepare: (variables) -> variables.
      init: (variables, frame, box[, extent]) -> state.
      step: (variables, state, frame) -> (state, output).
      chunk: (variables, state, frames [T, H, W, 3]) -> (state, output with a leading [T]).
      sequence: (variables, frames [T, H, W, 3], box) -> output of `track_sequence`.
      live: (variables, state, frame) -> (state, packed, (response maps, proposals)). `packed` [9] is box, score,
        hidden (0 or 1) and region, so that one transfer brings them to the host.
      targets: (variables, states with a leading [B], frames [T, H, W, 3], active [T, B] bool) -> (states, output with a
        leading [T, B]): B targets of one video (`over_targets`).
    """

    prepare: jax.stages.Wrapped
    init: jax.stages.Wrapped
    step: jax.stages.Wrapped
    chunk: jax.stages.Wrapped
    sequence: jax.stages.Wrapped
    live: jax.stages.Wrapped
    targets: jax.stages.Wrapped


def over_sequences(function: typing.Callable) -> typing.Callable:
    """A function of (variables, state, ...) for B sequences: every argument but the variables has a leading [B].

    `jax.vmap`, except on a CPU: one after the other in one program, each looks farther away only where its own target
    is lost (`recovery.look`); without recovery that takes a sixth longer at most.
    """
    if convolution.on_cpu():
        return lambda variables, *rest: jax.lax.map(lambda one: function(variables, *one), rest)
    return lambda variables, *rest: jax.vmap(function, in_axes=(None, *[0] * len(rest)))(variables, *rest)


def over_targets(step: typing.Callable) -> typing.Callable:
    """A step of (variables, state, frame) for B targets in the same frames.

    As in `over_sequences`, the targets come one after the other on a CPU, where one that is not active costs nothing.

    Returns:
      (variables, states with a leading [B], frames [T, H, W, 3], active [T, B] bool) -> (states, outputs with a leading
      [T, B]). Where a target is not active its state stays as it is, and its output is zeros.
    """
    step = jax.jit(step)  # so that it is traced once, for the shape of its output and for the step

    def one(variables, state, frame, active):
        shapes = jax.eval_shape(step, variables, state, frame)[1]
        rest = (state, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes))
        return jax.lax.cond(active, lambda: step(variables, state, frame), lambda: rest)

    def all_of(variables, states, frame, active):
        if convolution.on_cpu():
            return jax.lax.map(lambda each: one(variables, each[0], frame, each[1]), (states, active))
        return jax.vmap(one, in_axes=(None, 0, None, 0))(variables, states, frame, active)

    return lambda variables, states, frames, active: jax.lax.scan(
        lambda states, each: all_of(variables, states, *each), states, (frames, active)
    )


def jitted(config: config_lib.Config, details: bool = False) -> Jitted:
    """Entry points of a config: one set per value of `config.model` and `config.track`.

    Args:
      config: the run's.
      details: whether outputs hold response maps and proposals.

    Raises:
      ValueError: a field with a value that cannot work.
    """
    kept = config_values.to_dict(config_values.check(config))
    # A config can be changed, so its text stands for it.
    key = json.dumps({name: kept[name] for name in ('model', 'track')}, sort_keys=True)
    return _jitted(key, details)


@functools.lru_cache(maxsize=32)
def _jitted(key: str, details: bool) -> Jitted:
    config = config_values.from_dict(json.loads(key), config_lib.Config)

    def prepare(variables):
        return prepared.prepare(variables, look.network(config).config)

    def init(variables, frame, box, extent=None):
        return init_state(variables, frame, box, config, extent)

    def step(variables, state, frame):
        return track_step(variables, state, frame, config, details)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    def sequence(variables, frames, box):
        variables = prepare(variables)
        _, rest = chunk(variables, init(variables, frames[0], box), frames[1:])
        box = box.astype(jnp.float32)
        return rest.replace(
            box=jnp.concatenate([box[None], rest.box]),
            score=jnp.concatenate([jnp.ones(1), rest.score]),
            hidden=jnp.concatenate([jnp.zeros(1, bool), rest.hidden]),
        )

    def live(variables, state, frame):
        state, output = step(variables, state, frame)
        packed = jnp.concatenate(
            [output.box, output.score[None], output.hidden[None].astype(jnp.float32), output.region]
        )
        return state, packed, (output.response_maps, output.proposals)

    return Jitted(
        jax.jit(prepare),
        jax.jit(init),
        jax.jit(step, donate_argnums=1),
        jax.jit(chunk, donate_argnums=1),
        jax.jit(sequence),
        jax.jit(live, donate_argnums=1),
        jax.jit(over_targets(step), donate_argnums=1),
    )


class CompiledTracker:
    """A network's programs with its weights, prepared for this machine; each call compiles once per frame size.

    `step`, `chunk` and `live` take the state's memory for the new one: only the state they return is good afterwards.

    Attributes:
      config: the run's.
      jitted: the programs, which take `variables` first.
      variables: of `SCTRPN`, prepared.
    """

    def __init__(self, variables: dict, config: config_lib.Config, details: bool = False):
        """Checks the config and prepares the weights.

        Args:
          variables: of `SCTRPN`.
          config: the run's.
          details: whether outputs hold response maps and proposals.

        Raises:
          ValueError: a field with a value that cannot work.
        """
        self.config, self.jitted = config, jitted(config, details)
        self.variables = self.jitted.prepare(variables)

    def init(self, frame: chex.Array, box: chex.Array, extent: chex.Array | None = None) -> TrackState:
        """State of the first frame; the arguments are those of `track_step.init_state`.

        When a new frame size would be one more than `MAX_SIZES`, JAX drops every compiled program of the process. What
        is still needed is compiled again.
        """
        size = (id(self.jitted), frame.shape)
        if size not in _sizes:
            if len(_sizes) >= MAX_SIZES:
                jax.clear_caches()
                _sizes.clear()
            _sizes.add(size)
        return self.jitted.init(self.variables, frame, box, extent)

    def step(self, state: TrackState, frame: chex.Array) -> tuple[TrackState, TrackOutput]:
        """The next frame [H, W, 3] uint8 RGB."""
        return self.jitted.step(self.variables, state, frame)

    def chunk(self, state: TrackState, frames: chex.Array) -> tuple[TrackState, TrackOutput]:
        """The next frames [T, H, W, 3] uint8 RGB; the output has a leading [T]."""
        return self.jitted.chunk(self.variables, state, frames)

    def live(self, state: TrackState, frame: chex.Array) -> tuple[TrackState, chex.Array, tuple]:
        """The next frame as `Jitted.live` gives it."""
        return self.jitted.live(self.variables, state, frame)
