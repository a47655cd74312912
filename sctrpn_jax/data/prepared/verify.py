"""Whether a prepared set is whole: every file, record and table against what was written down when it was made."""

import pathlib

import tqdm

from sctrpn_jax.data import images
from sctrpn_jax.data.prepared import prepare, source


def verify(folder: str | pathlib.Path) -> dict[str, dict[str, int]]:
    """Re-reads all of a set and decodes every image.

    Args:
      folder: of the set.

    Returns:
      For each split: files, records, rows and bytes that were read.

    Raises:
      ValueError: what differs: a file that is missing or has another checksum, a wrong count, a table that points to no
        record, an image that does not decode.
    """
    folder = pathlib.Path(folder)
    found = {}
    for name, split in source.read_summary(folder)['splits'].items():
        for file in tqdm.tqdm(split['files'], unit='file', desc=f'{name}: checksums'):
            _check_file(folder / file['file'], file['sha256'])
        opened = source.PreparedSplit(folder, name)
        table = opened.table
        counts = {
            'targets': len(table.targets),
            'rows': len(table.frame),
            'clips': len(table.clips),
            'records': len(opened.records),
        }
        for what, count in counts.items():
            if count != split[what]:
                raise ValueError(f'{folder}, split {name}: {count} {what}, {split[what]} were written')
        size = 0
        for record in tqdm.tqdm(range(counts['records']), unit='image', desc=f'{name}: images'):
            stored = opened.stored(record)
            images.decode_image(stored['image'], f'{folder}, split {name}, record {record}')
            size += len(stored['image'])
        if size != split['bytes']:
            raise ValueError(f'{folder}, split {name}: {size} bytes of images, {split["bytes"]} were written')
        found[name] = {
            'files': len(split['files']),
            'records': counts['records'],
            'rows': counts['rows'],
            'bytes': size,
        }
    return found


def _check_file(path: pathlib.Path, expected: str) -> None:
    try:
        actual = prepare.digest(path)
    except OSError as error:
        raise ValueError(f'{path}: {error.strerror}; the set is not whole') from error
    if actual != expected:
        raise ValueError(f'{path}: checksum {actual[:16]}, {expected[:16]} was written; the file is damaged')
