"""From a published folder layout to a prepared set: written part by part, in several processes, restartable.

A part is a file of images with a table beside it; what is finished stays, and the same command goes on with the rest.
The folder gets its name when all of it is there.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re

import tqdm

from sctrpn_jax import bounded
from sctrpn_jax.data import process_pool
from sctrpn_jax.data.layouts import registry
from sctrpn_jax.data.prepared import features, shard, table
from sctrpn_jax.system import files, interrupts, locks

MIN_CROP = 455  # smallest crop that holds the search patch of the default augmentation


@dataclasses.dataclass(frozen=True)
class Job:
    """What is prepared from where.

    Attributes:
      dataset: a key of `registry.LAYOUTS`.
      source: folder in the published layout.
      data_dir: folder of prepared sets.
      crop: side of the crops around each target, pixels; None: whole images.
      rename: name of the set in place of the dataset's; lower-case letters, digits and _.
    """

    dataset: str
    source: str
    data_dir: str
    crop: int | None = None
    rename: str = ''

    @property
    def name(self) -> str:
        """Of the set: the dataset's or the given one, and `_cropS` where it holds crops."""
        name = self.rename or self.dataset
        return name if self.crop is None else f'{name}_crop{self.crop}'

    @property
    def folder(self) -> pathlib.Path:
        """Of the set when it is complete."""
        return pathlib.Path(self.data_dir) / self.name / features.VERSION

    @property
    def work(self) -> pathlib.Path:
        """Of the set until it is complete."""
        return self.folder.with_name(f'{features.VERSION}.incomplete')


def write_json(path: pathlib.Path, values) -> None:
    """Writes JSON whole or not at all."""
    files.write_text(path, json.dumps(values, indent=1))


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file, hexadecimal."""
    bounded.check_file(path, features.FILE_BYTES)
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def _plan(job: Job, splits: list[str]) -> tuple[dict, dict[str, list[str]]]:
    """(plan: what the set is made of, splits that are not there: why)."""
    kind = registry.layout(job.dataset)
    if unknown := [split for split in splits if split not in kind.splits]:
        raise ValueError(f'{job.dataset} has no split {unknown[0]!r}; its splits are {", ".join(kind.splits)}')
    plan, missing = {'dataset': job.dataset, 'source': os.path.abspath(job.source), 'crop': job.crop, 'splits': {}}, {}
    for split in splits or kind.splits:
        try:
            opened = kind(job.source, split)
        except ValueError as error:
            missing[split] = str(error)
            continue
        keys = list(opened.keys())
        text = '\0'.join(keys).encode('utf-8', 'surrogateescape')
        plan['splits'][split] = {
            'clips': len(keys),
            'clips_digest': hashlib.sha256(text).hexdigest(),
            'parts': -(-len(keys) // kind.clips_per_shard),
            'refused': list(opened.refused),
        }
    asked = [split for split in splits if split in missing]
    if asked or not plan['splits']:
        raise ValueError(missing[(asked or list(missing))[0]])
    return plan, missing


def _check_plan(job: Job, plan: dict) -> None:
    """Writes the plan, or compares it with that of an earlier run."""
    path = job.work / 'plan.json'
    if not path.exists():
        job.work.mkdir(parents=True, exist_ok=True)
        write_json(path, plan)
        return
    earlier = bounded.read_json(path, 'the plan of an unfinished set')
    if not isinstance(earlier, dict) or not isinstance(earlier.get('splits'), dict) or 'source' not in earlier:
        raise ValueError(f'{path}: not the plan of an unfinished set; delete {job.work} and give the same command')
    for what in ('source', 'splits'):
        if earlier[what] != plan[what]:
            old, new = (list(p[what]) if what == 'splits' else p[what] for p in (earlier, plan))
            change = f'from {old!r}, now {new!r}' if old != new else 'and the files of the source have changed since'
            raise ValueError(f'{job.work} was begun {change}; give the same command, or delete that folder')


def _read_part(path: pathlib.Path) -> dict:
    """What `_write_part` noted of a part that is done."""
    kinds = {'file': str, 'records': int, 'num_bytes': int, 'images': int, 'sha256': str, 'refused': list}
    part = bounded.read_json(path, 'what a finished part holds,')
    if not isinstance(part, dict) or any(type(part.get(name)) is not kind for name, kind in kinds.items()):
        raise ValueError(f'{path}: damaged; delete it, and the same command makes that part again')
    return part


_opened: dict = {}  # of this process: the layout in use, for its index may be dear to read


def _write_part(job: Job, split: str, number: int, parts: int) -> int:
    """Writes a part; returns the number of clips it was made from."""
    name = job.dataset, job.source, split
    if name not in _opened:
        _opened.clear()
        opened = registry.layout(job.dataset)(job.source, split)
        _opened[name] = opened, list(opened.keys())
    opened, keys = _opened[name]
    keys = keys[number * opened.clips_per_shard : (number + 1) * opened.clips_per_shard]

    def clips():
        for key in keys:
            interrupts.check()
            try:
                yield opened.read(key)
            except ValueError as error:
                yield str(error)

    path = pathlib.Path(
        features.file_template(job.name, split, job.work).sharded_filepath(shard_index=number, num_shards=parts)
    )
    part = shard.write_part(path, clips(), job.source, job.crop)
    table.write_table(job.work / f'{split}-{number:05d}.npz', part.table)
    done = {'file': path.name, 'records': part.records, 'num_bytes': part.num_bytes, 'images': part.images}
    files.sync(path)
    # Written last: a part that has it is done.
    write_json(job.work / f'{split}-{number:05d}.json', done | {'sha256': digest(path), 'refused': part.refused})
    return len(keys)


def _write_parts(job: Job, todo: list[tuple[str, int, int]], workers: int, bar: tqdm.tqdm) -> None:
    if workers == 0 or not todo:
        for task in todo:
            bar.update(_write_part(job, *task))
        return
    with process_pool.process_pool(min(workers, len(todo))) as pool:
        futures = [pool.submit(_write_part, job, *task) for task in todo]
        for future in process_pool.as_completed(futures):
            bar.update(future.result())


def prepare(job: Job, splits: list[str], workers: int) -> tuple[dict, dict[str, str]]:
    """Prepares a set, or goes on with what an earlier run left.

    Args:
      job: what from where.
      splits: which; empty: all that are there.
      workers: processes; 0: this one.

    Returns:
      What prepared.json says (`finish`), and the splits that are not there with the reason.

    Raises:
      ValueError: an unknown layout, split or crop; nothing usable; an earlier run of another source; another process
        prepares the set.
      OSError: a full disk, a folder that cannot be written.
      Interrupted: by a signal, between two clips; the same call goes on with the parts that are not done.
    """
    if job.crop is not None and job.crop < MIN_CROP:
        raise ValueError(f'crop is {job.crop}; expected {MIN_CROP} or more pixels, 511 as the field has it')
    if not re.fullmatch('[a-z][a-z0-9_]*', job.name):
        raise ValueError(f'the name of the set is {job.name!r}; expected lower-case letters, digits and _')
    with locks.hold(job.folder.parent):
        return _prepare(job, splits, workers)


def _prepare(job: Job, splits: list[str], workers: int) -> tuple[dict, dict[str, str]]:
    if job.folder.exists():
        raise ValueError(f'{job.folder} is already prepared; check it with --verify, or delete it to prepare it anew')
    plan, missing = _plan(job, splits)
    _check_plan(job, plan)
    tasks = [(split, i, values['parts']) for split, values in plan['splits'].items() for i in range(values['parts'])]
    todo = [task for task in tasks if not (job.work / f'{task[0]}-{task[1]:05d}.json').exists()]
    per_shard = registry.layout(job.dataset).clips_per_shard
    total = sum(values['clips'] for values in plan['splits'].values())
    left = sum(min(per_shard, plan['splits'][split]['clips'] - i * per_shard) for split, i, _ in todo)
    with interrupts.deferred():
        with tqdm.tqdm(total=total, initial=total - left, unit='clip', desc=job.name) as bar:
            _write_parts(job, todo, workers, bar)
        return finish(job, plan), missing


def finish(job: Job, plan: dict) -> dict:
    """Joins the parts and gives the folder its name; may be repeated after a kill at any moment.

    Returns:
      What prepared.json says: dataset, crop and for each split clips, targets, rows, records, bytes, the number of
      lines refused, and name, records and SHA-256 of each file.
    """
    prepared = {'dataset': job.dataset, 'crop': job.crop, 'splits': {}}
    refused_lines = {}
    for split, values in plan['splits'].items():
        names = [job.work / f'{split}-{number:05d}' for number in range(values['parts'])]
        parts = [_read_part(name.with_suffix('.json')) for name in names]
        tables = [table.read_table(name.with_suffix('.npz')) for name in names]
        joined = table.join_tables(tables, [part['records'] for part in parts], [part['images'] for part in parts])
        refused = [*values['refused'], *(line for part in parts for line in part['refused'])]
        if not len(joined.frame):
            for name in names:  # or a later run, on a source that was put right, would take them for done
                name.with_suffix('.json').unlink()
            raise ValueError(
                f'{job.dataset}, split {split}: nothing usable among {values["clips"]} clips, {len(refused)} lines '
                f'refused; the first: {refused[0] if refused else "none"}'
            )
        table.write_table(job.work / f'tracks-{split}.npz', joined)
        refused_lines[split] = refused
        prepared['splits'][split] = {
            'clips': len(joined.clips),
            'targets': len(joined.targets),
            'rows': len(joined.frame),
            'records': sum(part['records'] for part in parts),
            'bytes': sum(part['num_bytes'] for part in parts),
            'refused': len(refused),
            'files': [{name: part[name] for name in ('file', 'records', 'sha256')} for part in parts],
        }
    for split, lines in refused_lines.items():
        files.write_text(job.work / f'refused-{split}.txt', ''.join(f'{" ".join(line.split())}\n' for line in lines))
    features.write_description(
        job.name,
        job.data_dir,
        job.work,
        {
            split: ([file['records'] for file in values['files']], values['bytes'])
            for split, values in prepared['splits'].items()
        },
    )
    write_json(job.work / 'prepared.json', prepared)
    for path in job.work.iterdir():
        files.sync(path)
    files.put(job.work, job.folder)
    (job.folder / 'plan.json').unlink()
    for split, values in plan['splits'].items():
        for number in range(values['parts']):
            for suffix in ('.json', '.npz'):
                (job.folder / f'{split}-{number:05d}{suffix}').unlink(missing_ok=True)
    return prepared
