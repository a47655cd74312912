"""From sources to batches of patches: pairs cut on the host around their boxes, with room for the augmentation.

The stream is endless and a function of the seed alone: it does not depend on the number of hosts, workers or threads.
"""

import logging
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import grain
import numpy as np

from sctrpn_jax import config
from sctrpn_jax.data import folder, generated, pairs

_log = logging.getLogger(__name__)

LENGTH = 2**32  # positions are uint32
MAX_ATTEMPTS = 16
ALIASING = 1.5  # reductions stronger than this are done by area averages


def patch_size(crop_size: int, shift: float, scale: float) -> int:
    """Side of the patch that holds every crop the augmentation can ask for, pixels.

    Args:
      crop_size: side of the crop, pixels.
      shift: largest displacement of the target from the crop's centre, crop pixels.
      scale: the crop's side is up to (1 + scale) patch pixels a crop pixel.

    Returns:
      An odd size, with a pixel to spare on each side for the bilinear neighbours: 455 and 145 with pysot's values.
    """
    side = math.ceil((crop_size + 2 * shift) * (1 + scale)) + 2
    return side + 1 - side % 2


def cut_patch(image: np.ndarray, box: np.ndarray, size: int, template_size: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """Square patch around a box at SiamFC's scale: the box's context square would be `template_size` pixels wide.

    Args:
      image: [H, W, 3] uint8.
      box: [4] xywh, image pixels.
      size: side of the patch, pixels.
      template_size: side of the template crop, pixels.

    Returns:
      patch [size, size, 3] uint8, the image's mean colour outside of it, and box [4] float32 cxcywh in patch pixels:
      its centre is the patch's.
    """
    x, y, width, height = (float(value) for value in box)
    pad = (width + height) / 2
    scale = template_size / math.sqrt((width + pad) * (height + pad))  # patch pixels an image pixel
    centre = np.array([x + width / 2, y + height / 2])
    fill = cv2.mean(image)
    at, step = centre, np.array([scale, scale])
    if scale < 1 / ALIASING:
        half = size / scale / 2
        tall, wide = image.shape[:2]
        left, top = np.clip(np.floor(centre - half).astype(int) - 2, 0, [wide - 1, tall - 1])
        right, bottom = np.clip(np.ceil(centre + half).astype(int) + 2, [left + 1, top + 1], [wide, tall])
        region = image[top:bottom, left:right]
        old = np.array([right - left, bottom - top])
        new = np.maximum(np.round(old * scale), 1).astype(int)
        image = cv2.resize(region, new.tolist(), interpolation=cv2.INTER_AREA)
        at = (centre - (left, top)) * new / old
        step = scale * old / new
    # cv2's index i is the continuous position i + 0.5.
    offset = size / 2 - 0.5 - (at - 0.5) * step
    matrix = np.array([[step[0], 0, offset[0]], [0, step[1], offset[1]]])
    patch = cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
    return patch, np.array([size / 2, size / 2, width * scale, height * scale], np.float32)


_LOG_LOCK = threading.Lock()


@dataclass
class MakeRecord:
    """Index on this host -> record; the pair depends on (seed, global position) alone.

    Attributes:
      sources, weights, seed, options: as `pairs.choose_pair` takes them.
      template_patch, search_patch: sides, pixels.
      template_size: side of the template crop, pixels.
      batch_size: pairs of a global batch; host p of n holds the p-th n-th part of each.
    """

    sources: Sequence[pairs.Source]
    weights: Sequence[float]
    seed: int
    options: dict[str, float]
    template_patch: int
    search_patch: int
    template_size: int
    batch_size: int
    process_index: int = 0
    process_count: int = 1
    refused: set[str] = field(default_factory=set)  # what was named in the log already, in this process

    def __call__(self, index: int) -> dict[str, np.ndarray]:
        """The record of the index-th pair of this host; ValueError where MAX_ATTEMPTS draws cannot be read."""
        local = self.batch_size // self.process_count
        position = index // local * self.batch_size + self.process_index * local + index % local
        for attempt in range(MAX_ATTEMPTS):
            choice = pairs.choose_pair(self.sources, self.weights, self.seed, position, attempt, **self.options)
            try:
                return self._record(choice, position)
            except ValueError as error:
                with _LOG_LOCK:  # grain reads with several threads
                    if str(error) not in self.refused:
                        self.refused.add(str(error))
                        _log.warning('refused, another pair takes its place: %s', error)
                last = error
        raise ValueError(f'no readable pair at position {position} in {MAX_ATTEMPTS} draws; the last: {last}')

    def _record(self, choice: pairs.PairChoice, position: int) -> dict[str, np.ndarray]:
        template_image, template_box = self._read(choice.template)
        same = choice.search == choice.template
        search_image, search_box = (template_image, template_box) if same else self._read(choice.search)
        template, template_box = cut_patch(template_image, template_box, self.template_patch, self.template_size)
        search, search_box = cut_patch(search_image, search_box, self.search_patch, self.template_size)
        return {
            'template': template,
            'search': search,
            'template_box': template_box,
            'search_box': search_box,
            'positive': np.bool_(choice.positive),
            'mirrored': np.bool_(choice.mirrored),
            'position': np.uint32(position),
        }

    def _read(self, row: pairs.Row) -> tuple[np.ndarray, np.ndarray]:
        return self.sources[row.source].read(row.track, row.row)


def _start_worker(worker_index: int, worker_count: int) -> None:
    cv2.setNumThreads(1)  # the workers are the parallelism


def make_dataset(
    sources: Sequence[pairs.Source],
    weights: Sequence[float],
    *,
    template_patch: int,
    search_patch: int,
    batch_size: int,
    num_workers: int = 0,
    seed: int = 0,
    max_interval: int = 100,
    negative_share: float = 0.05,
    mirror_share: float = 0.0,
    template_size: int = 127,
    process_index: int = 0,
    process_count: int = 1,
    first_batch: int = 0,
) -> grain.IterDataset:
    """The endless stream of batches; its iterators have `get_state` and `set_state`, which resume bit-exactly.

    Args:
      sources: of `make_sources`.
      weights: share of pairs of each source.
      template_patch: side of the template patch (`patch_size`), pixels.
      search_patch: side of the search patch, pixels.
      batch_size: pairs of a global batch.
      num_workers: worker processes; a state is good for the same number only. 0: threads of this process.
      seed: not negative.
      max_interval: as `pairs.choose_pair` takes it, frames.
      negative_share: likewise.
      mirror_share: likewise.
      template_size: side of the template crop that fixes the scale, pixels.
      process_index: this host among all.
      process_count: all hosts; their batches one after the other are the global batch.
      first_batch: batches left out at the start: where a restart goes on, with any number of workers.

    Returns:
      Dataset of dicts of numpy arrays, B = batch_size / process_count:
        template [B, T, T, 3] and search [B, S, S, 3] uint8 RGB patches,
        template_box and search_box [B, 4] float32 cxcywh, patch pixels,
        positive [B] and mirrored [B] bool, position [B] uint32.

    Raises:
      ValueError: batch_size cannot be split among the hosts, or the weights do not fit the sources.
    """
    if batch_size < 1 or batch_size % process_count:
        raise ValueError(f'batch_size is {batch_size}; expected a positive multiple of {process_count} processes')
    if len(sources) != len(weights) or not sources or min(weights) < 0 or sum(weights) <= 0:
        raise ValueError(f'{len(sources)} sources with weights {list(weights)}; expected one weight >= 0 a source')
    options = {'max_interval': max_interval, 'negative_share': negative_share, 'mirror_share': mirror_share}
    make_record = MakeRecord(
        sources,
        weights,
        seed,
        options,
        template_patch,
        search_patch,
        template_size,
        batch_size,
        process_index,
        process_count,
    )
    local = batch_size // process_count
    records = grain.MapDataset.range(first_batch * local, LENGTH // batch_size * local).map(make_record)
    threads = 1 if num_workers else min(16, os.cpu_count() or 1)
    # The buffer holds whole batches of tens of megabytes, so it is short.
    reading = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + 1)
    batches = records.batch(local, drop_remainder=True).to_iter_dataset(reading)
    if num_workers:
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(num_workers=num_workers), _start_worker)
    return batches


def make_sources(data: config.DataConfig) -> tuple[list[pairs.Source], list[float]]:
    """The sources that a config names and the share of pairs of each (they sum to 1).

    Raises:
      ValueError: a folder is missing or has nothing usable, or a share is out of range.
    """
    if not data.root:
        return [generated.GeneratedSource()], [1.0]
    for name in ('generated_share', 'video_share'):
        if not 0 <= getattr(data, name) <= 1:
            raise ValueError(f'data.{name} is {getattr(data, name)}; expected 0..1')
    if not os.path.isdir(data.root):
        raise ValueError(f'data.root {data.root!r} is no folder; expected a folder of source folders')
    found = sorted(name for name in os.listdir(data.root) if os.path.isfile(os.path.join(data.root, name, 'boxes.csv')))
    missing = [name for name in data.sources if name not in found]
    if missing or not found:
        what = f'has no source {missing[0]!r}' if missing else 'has no folder with a boxes.csv'
        raise ValueError(f'data.root {data.root!r} {what}; sources in it: {", ".join(found[:20]) or "none"}')
    names = data.sources or found
    sources = [folder.read_folder(os.path.join(data.root, name), data.min_box_side) for name in names]
    for source in sources:
        if source.refused:
            _log.warning('%s: %d rows refused; first: %s', source.name, len(source.refused), source.refused[0])
    weights = np.array([len(source.images) for source in sources], float) ** data.source_weight_power
    moving = np.array([len(source.images) > source.num_tracks for source in sources])
    if data.video_share > 0 and moving.any() and not moving.all():
        weights[moving] *= data.video_share / weights[moving].sum()
        weights[~moving] *= (1 - data.video_share) / weights[~moving].sum()
    weights = weights / weights.sum()
    if data.generated_share > 0:
        sources = [*sources, generated.GeneratedSource()]
        weights = np.append(weights * (1 - data.generated_share), data.generated_share)
    return sources, weights.tolist()
