"""How fast the tracker runs: compilation, a live frame, whole sequences, many at once, its parts, other trackers."""

import dataclasses
import time
from collections.abc import Sequence

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.run import trackers
from sctrpn_jax.speed import machine, parts, timing
from sctrpn_jax.tracking import compiled as compiled_lib
from sctrpn_jax.tracking import multi_tracker
from sctrpn_jax.tracking import tracker as tracker_lib

_TRACE = 0.2  # of a measurement's time goes to each of the two ends of the memory curve


def measure(
    variables: dict,
    config: config_lib.Config,
    frames: np.ndarray,
    box: np.ndarray,
    seconds: float,
    batches: Sequence[int] = (1, 4, 16, 64),
    targets: Sequence[int] = (1, 4),
) -> dict:
    """Everything about our tracker that `sctrpn benchmark track` prints.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
      frames: [T, H, W, 3] uint8 RGB, T >= 3; tracked over and over.
      box: [4] target in the first, top-left form, pixels.
      seconds: for each measurement.
      batches: numbers of sequences tracked at once (`vmap`), each compiled.
      targets: numbers of targets followed in one video (`MultiTracker`), each compiled.

    Returns:
      Nested dict of numbers, ready for JSON: `live` (Tracker.update, NumPy frame to NumPy box), `lost` (the same where
      the target is looked for farther away), `sequence` (`track_sequence`), `batched`, `targets`, `parts`, `step`
      (FLOPs, memory), `growth` (cost over frames and sequences). In all but `lost` the target never counts as lost.
    """
    box = np.asarray(box, np.float32)
    lost, config = _with(config, score=1.0), _with(config, score=0.0)
    functions = compiled_lib.jitted(config)
    result = {'frame': f'{frames.shape[2]} x {frames.shape[1]}', 'peak': machine.peaks(seconds / 4)}
    variables = functions.prepare(variables)
    result['live'] = _live(variables, config, frames, box, seconds)
    if config.track.recovery.search_size:
        result['lost'] = _live(variables, lost, frames, box, seconds)
    start = time.perf_counter()
    compiled = functions.sequence.lower(variables, frames, box).compile()
    result['sequence'] = {'compile_s': time.perf_counter() - start}
    times = timing.seconds_of(lambda _: jax.block_until_ready(compiled(variables, frames, box)), seconds, warm_up=1)
    result['sequence'] |= {'frames_per_second': (len(frames) - 1) / float(np.median(times))} | {
        'spread': float(np.ptp(np.percentile(times, [25, 75])) / np.median(times))
    }

    state = functions.init(variables, frames[0], box)
    # The compiler counts both branches of a condition, of which a frame runs one.
    near = compiled_lib.jitted(_with(config, search_size=0))
    result['step'] = machine.cost(near.step.lower(variables, state, frames[1]).compile())
    if 'gflops' in result['step']:
        rate = result['step']['gflops'] * result['sequence']['frames_per_second']
        peak = result['peak']['matmul_gflops'][precision_of(config)]
        result['step'] |= {'gflops_per_second': rate, 'share_of_peak': rate / peak}
    result['parts'] = parts.measure(variables, state, frames[1], config, seconds / 4)
    medians = {name: part['median_ms'] for name, part in result['parts'].items()}
    after = sum(medians.get(name, 0) for name in parts.AFTER_THE_NETWORK)
    result['parts']['share_after_the_network'] = after / sum(medians.values())

    result['batched'] = {str(size): _batched(functions, variables, frames, box, size, seconds) for size in batches}
    result['targets'] = {str(count): _targets(variables, config, frames, box, count, seconds) for count in targets}
    result['growth'] = _growth(functions, variables, frames, box, seconds)
    if len(set(batches)) > 1:
        steps = [result['batched'][str(size)]['median_ms'] / 1e3 for size in batches]
        result['growth']['step_over_sequences'] = machine.line(np.array(batches), np.array(steps))
    return result


def _with(config: config_lib.Config, **settings) -> config_lib.Config:
    """The config with other settings in `track.recovery`."""
    recovery = dataclasses.replace(config.track.recovery, **settings)
    return dataclasses.replace(config, track=dataclasses.replace(config.track, recovery=recovery))


def precision_of(config: config_lib.Config) -> str:
    """Name under which `machine.peaks` has the rate that a config's network could reach."""
    if jax.devices()[0].platform == 'cpu' and config.model.precision == 'tf32':
        return 'float32'
    return config.model.precision


def _live(variables, config, frames, box, seconds) -> dict:
    live = tracker_lib.Tracker(variables, config)
    start = time.perf_counter()
    live.init(frames[0], box)
    live.update(frames[1])
    compile_s = time.perf_counter() - start
    used = time.process_time()
    start = time.perf_counter()
    times = timing.seconds_of(lambda i: live.update(frames[1 + i % (len(frames) - 1)]), seconds)
    cores = (time.process_time() - used) / (time.perf_counter() - start)
    result = {'compile_s': compile_s, 'frames_per_second': 1 / float(np.median(times)), 'cores_used': cores}
    return result | timing.summary(times)


def _batched(functions, variables, frames, box, size: int, seconds: float) -> dict:
    """One step of `size` sequences (`tracker.over_sequences`), each at its own place in the video."""
    starts = [frames[i % len(frames)] for i in range(size)]
    following = np.stack([frames[(i + 1) % len(frames)] for i in range(size)])
    state = jax.vmap(functions.init, in_axes=(None, 0, 0))(variables, np.stack(starts), np.tile(box, (size, 1)))
    start = time.perf_counter()
    step = jax.jit(compiled_lib.over_sequences(functions.step)).lower(variables, state, following).compile()
    compile_s = time.perf_counter() - start
    times = timing.seconds_of(lambda _: jax.block_until_ready(step(variables, state, following)), seconds, warm_up=1)
    result = {'compile_s': compile_s, 'frames_per_second': size / float(np.median(times))} | timing.summary(times)
    return result | {k: v for k, v in machine.cost(step).items() if k.endswith('mib')}


def _targets(variables, config, frames, box, count: int, seconds: float) -> dict:
    """A live frame with several targets, all of them the same one, so that each takes the same time."""
    several = multi_tracker.MultiTracker(variables, config, slots=count)
    start = time.perf_counter()
    several.compile(frames[0])
    compile_s = time.perf_counter() - start
    for target in range(count):
        several.start(target, frames[0], box)
    several.update(frames[1])
    used = time.process_time()
    times = timing.seconds_of(lambda i: several.update(frames[1 + i % (len(frames) - 1)]), seconds, 0)
    # The processor's time tells what the work is where other programs take their share of the machine.
    cpu = (time.process_time() - used) / len(times)
    result = {'compile_s': compile_s, 'frames_per_second': 1 / float(np.median(times)), 'cpu_ms_per_frame': 1e3 * cpu}
    return result | timing.summary(times)


def _growth(functions, variables, frames, box, seconds: float) -> dict:
    """Time and memory over the length of a video: the same compiled chunk, again and again."""
    rest = frames[1:]
    state = functions.init(variables, frames[0], box)
    state, output = functions.chunk(variables, state, rest)
    jax.block_until_ready(output)
    counts, elapsed, memory, start = [], [], [], time.perf_counter()
    while not elapsed or elapsed[-1] < 2 * seconds or len(elapsed) < 4:
        state, output = functions.chunk(variables, state, rest)
        jax.device_get(output)
        counts.append((len(counts) + 1) * len(rest))
        elapsed.append(time.perf_counter() - start)
        memory.append(timing.resident_mib())
    ends = max(int(len(memory) * _TRACE), 1)
    return {
        'time_over_frames': machine.line(np.array(counts), np.array(elapsed)),
        'frames': counts[-1],
        'rss_mib_start': float(np.mean(memory[:ends])),
        'rss_mib_end': float(np.mean(memory[-ends:])),
    }


def peers(
    names: Sequence[str], frames: np.ndarray, box: np.ndarray, seconds: float, models: str | None, ours: float
) -> dict:
    """OpenCV's trackers on the same frames.

    Args:
      names: of `evaluation.job.OPENCV_TRACKERS`.
      frames: [T, H, W, 3] uint8 RGB.
      box: [4] target in the first, top-left form, pixels.
      seconds: for each.
      models: folder of TrackerNano's files.
      ours: frames per second of our live tracker in this run.

    Returns:
      By name: `frames_per_second`, `ours_over_it` (above 1: we are faster) and `timing.summary`; or why it was not
      measured.
    """
    result = {}
    for name in names:
        try:
            tracker, _ = trackers.make_tracker(job.TrackerSettings(name, models=models))
        except ValueError as error:
            result[name] = {'not measured': str(error)}
            continue
        tracker.init(frames[0], box)
        times = timing.seconds_of(lambda i: tracker.update(frames[1 + i % (len(frames) - 1)]), seconds)  # noqa: B023
        rate = 1 / float(np.median(times))
        result[name] = {'frames_per_second': rate, 'ours_over_it': ours / rate} | timing.summary(times)
    return result
