"""How fast training data comes: random access, the host's work for a pair, both feeding modes, memory over time."""

import os
import pathlib
import time

import cv2
import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import augment, generated, mixture, pipeline, resident
from sctrpn_jax.data.prepared import prepare, source
from sctrpn_jax.speed import timing
from sctrpn_jax.training import feeding

FRAMES = 3000  # of the sequence that is made where the config names no data
CROP = 511
_WARM_UP = 0.05  # of the stream's time, until buffers are full and memory is looked at first


def make_set(folder: pathlib.Path, frames: int = FRAMES, size: tuple[int, int] = (360, 640)) -> str:
    """Prepares crops of one generated sequence under `folder`, unless they are there.

    Args:
      folder: data root to put the set in.
      frames: length of the sequence.
      size: height and width, pixels.

    Returns:
      Name of the set.
    """
    published = folder / 'generated'
    job = prepare.Job('folder', str(published), str(folder), CROP, 'benchmark')
    if job.folder.exists():
        return job.name
    (published / 'img').mkdir(parents=True, exist_ok=True)
    with open(published / 'boxes.csv', 'w', encoding='utf-8') as lines:
        lines.write('image,track,frame,class,x,y,w,h\n')
        for t in range(frames):
            frame, box = generated.render_frame(0, t, height=size[0], width=size[1])
            cv2.imwrite(str(published / 'img' / f'{t}.jpg'), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            lines.write(f'img/{t}.jpg,0,{t},,{",".join(map(str, box.tolist()))}\n')
    prepare.prepare(job, [], os.cpu_count() or 1)
    return job.name


def random_access(folder: str | os.PathLike, split: str, least_seconds: float) -> dict:
    """Times of reading frames of a prepared set in random order: encoded bytes, and decoded."""
    opened = source.PreparedSplit(folder, split)
    order = np.random.default_rng(0).permutation(len(opened.records)).tolist()
    return {
        'frames': len(order),
        'encoded': timing.summary(timing.seconds_of(lambda i: opened.records[order[i % len(order)]], least_seconds)),
        'decoded': timing.summary(timing.seconds_of(lambda i: opened.image(order[i % len(order)]), least_seconds)),
    }


def measure(config: config_lib.Config, seconds: float, streaming_seconds: float) -> dict:
    """Everything that `sctrpn benchmark data` prints.

    Args:
      config: names the data; its crop sizes, shares and batch size hold.
      seconds: for each measurement.
      streaming_seconds: for the stream, whose memory is watched.

    Returns:
      Nested dict of numbers, ready for JSON. Rates are pairs per second; bytes are those of the uint8 patches.
    """
    mixed = mixture.make_mixture(config.data)
    sizes = dict(zip(('template_patch', 'search_patch'), feeding.patch_sizes(config), strict=True))
    shares = {'negative_share': config.data.negative_share, 'mirror_share': config.data.mirror_share}
    pair_bytes = 3 * sum(side**2 for side in sizes.values())
    result = {'sources': [source.name for source in mixed.sources], 'pair_bytes': pair_bytes} | sizes
    result['host_one_core'] = _host(mixed, config, sizes, shares, seconds, pair_bytes)
    result['streaming'], batch = _streaming(mixed, config, sizes, shares, streaming_seconds, pair_bytes)
    result['augmentation'] = _rate(lambda _: augment.augment(batch, 0, **_augment(config)), config, seconds, pair_bytes)
    result['resident'] = _resident(mixed, config, sizes, shares, seconds, pair_bytes)
    return result


def _augment(config: config_lib.Config) -> dict:
    return {'search_size': config.model.search_size} | vars(config.augment)


def _host(mixed, config, sizes, shares, seconds, pair_bytes) -> dict:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        make = pipeline.MakeRecord(mixed, config.seed, shares, *sizes.values(), 1)
        make(0)
        cpu, start, count = time.process_time(), time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            count += 1
            make(count)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    finally:
        cv2.setNumThreads(threads)
    # Processor time is what a core gives when nothing else wants it; wall time is what this machine gave now.
    return {
        'pairs_per_cpu_second': count / cpu,
        'pairs_per_second': count / wall,
        'bytes_per_cpu_second': count / cpu * pair_bytes,
    }


def _streaming(mixed, config, sizes, shares, seconds, pair_bytes) -> tuple[dict, dict]:
    size = config.train.batch_size
    stream = pipeline.make_dataset(
        mixed, batch_size=size, num_workers=config.data.num_workers, seed=config.seed, **sizes, **shares
    )
    iterator = iter(stream)
    try:
        batch = next(iterator)
        before, start, count = None, time.perf_counter(), 0
        while (elapsed := time.perf_counter() - start) < seconds:
            if before is None and elapsed > seconds * _WARM_UP:
                before = timing.resident_mib()
            batch = next(iterator)
            count += size
        rate, after = count / (time.perf_counter() - start), timing.resident_mib()
    finally:
        iterator.close()
    memory = {'seconds': seconds, 'rss_mib_start': before or after, 'rss_mib_end': after}
    return {'pairs_per_second': rate, 'bytes_per_second': rate * pair_bytes, 'workers': config.data.num_workers} | (
        memory
    ), batch


def _rate(call, config, seconds, pair_bytes) -> dict:
    times = timing.seconds_of(lambda i: jax.block_until_ready(call(i)), seconds)
    rate = config.train.batch_size / float(np.median(times))
    return {'pairs_per_second': rate, 'bytes_per_second': rate * pair_bytes, 'batch': config.train.batch_size} | (
        timing.summary(times)
    )


def _resident(mixed, config, sizes, shares, seconds, pair_bytes) -> dict:
    limit = resident.bytes_allowed(jax.local_devices()[0])
    needed = resident.bytes_needed(mixed, sizes['search_patch'])
    if needed > limit:
        return {'not measured': f'needs {needed / 2**30:.1f} GiB, this machine allows {limit / 2**30:.1f}'}
    start = time.perf_counter()
    store = resident.read_store(mixed, sizes['search_patch'], limit)
    store = jax.block_until_ready(jax.device_put(store))
    read = time.perf_counter() - start

    @jax.jit
    def step(store, positions):
        batch = resident.sample(
            store, np.uint32(config.seed), positions, template_patch=sizes['template_patch'], **shares
        )
        return augment.augment(batch, config.seed, **_augment(config))

    rows = resident.positions(config.train.batch_size, 0)
    rate = _rate(lambda _: step(store, next(rows)), config, seconds, pair_bytes)
    return {'store_bytes': needed, 'read_seconds': read, 'sampling_and_augmentation': rate}
