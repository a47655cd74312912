"""The TFDS side of a prepared set: what a record is, and the builder that knows it. No TensorFlow is imported."""

import io
import os
import pathlib
import typing
from collections.abc import Callable

import tensorflow_datasets as tfds
from array_record.python import array_record_module
from google.protobuf import json_format

from sctrpn_jax import bounded

VERSION = '1.0.0'
FILE_FORMAT = 'array_record'


def make_features() -> tfds.features.FeaturesDict:
    """`image`: encoded bytes as the published file or the crop has them; `path`: the file, from the source's folder."""
    return tfds.features.FeaturesDict(
        {'image': tfds.features.Image(shape=(None, None, 3)), 'path': tfds.features.Text()}
    )


def serializer() -> Callable[[bytes, str], bytes]:
    """Function (encoded image, path) -> record."""
    features = make_features()
    serializer = tfds.core.ExampleSerializer(features.get_serialized_info())

    def make_record(encoded: bytes, path: str) -> bytes:
        # Names that are not UTF-8 are kept as far as text can.
        text = os.fsencode(path).decode('utf-8', 'backslashreplace')
        example = serializer.get_tf_example(features.encode_example({'image': io.BytesIO(encoded), 'path': text}))
        return example.SerializeToString(deterministic=True)  # or two runs would not write the same file

    return make_record


_NOT_HERE = 'the files of a prepared set are written by bin/prepare_data, not by download_and_prepare'


class FrameBuilder(tfds.core.GeneratorBasedBuilder):
    """Holds the description of a prepared set; `prepare.prepare` writes its files, in several processes."""

    VERSION = tfds.core.Version(VERSION)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description='Images of a tracking dataset, one a record, clip by clip; tracks-SPLIT.npz has the targets.',
            features=make_features(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        raise RuntimeError(_NOT_HERE)

    def _generate_examples(self):
        raise RuntimeError(_NOT_HERE)


def make_builder(name: str, data_dir: str | os.PathLike) -> FrameBuilder:
    """The builder of a set of that name under data_dir."""
    with tfds.core.registered.skip_registration():
        kind = type(name, (FrameBuilder,), {'name': name, '__module__': __name__})
    return kind(data_dir=os.fspath(data_dir), file_format=FILE_FORMAT)


def file_template(name: str, split: str, folder: str | os.PathLike) -> tfds.core.ShardedFileTemplate:
    """Names the files of a split of a set under `folder`."""
    return tfds.core.ShardedFileTemplate(
        data_dir=tfds.core.Path(folder), dataset_name=name, split=split, filetype_suffix=FILE_FORMAT
    )


def write_description(
    name: str, data_dir: str | os.PathLike, folder: str | os.PathLike, splits: dict[str, tuple[list[int], int]]
) -> None:
    """Writes what TFDS needs to read a set (dataset_info.json, features.json) into its folder.

    Args:
      name: of the set.
      data_dir: where the set will lie.
      folder: where its files lie now.
      splits: name -> (records of each file, bytes of all).
    """
    builder = make_builder(name, data_dir)
    infos = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=lengths,
            num_bytes=num_bytes,
            filename_template=file_template(name, split, folder),
        )
        for split, (lengths, num_bytes) in splits.items()
    ]
    builder.info.set_splits(tfds.core.SplitDict(infos))
    builder.info.write_to_directory(folder)


def open_records(folder: str | os.PathLike, split: str, files: list[dict]) -> typing.Sequence[dict]:
    """The records of a split, by what its folder says of them; each is a dict with `image` (bytes) and `path` (bytes).

    Args:
      folder: of the set.
      split: name of the split.
      files: name (`file`) and number of records (`records`) of each.

    Raises:
      ValueError: TFDS's two files of the set, dataset_info.json and features.json, are missing, damaged or of another
        set; the message names the one.
    """
    # TFDS imports the classes that features.json names, so it is compared first with what is written there.
    _check_json(folder, 'features.json', json_format.MessageToDict(make_features().to_proto()))
    lengths = [str(file['records']) for file in files]
    wanted = {'version': VERSION, 'fileFormat': FILE_FORMAT, 'splits': {split: lengths}}
    _check_json(folder, 'dataset_info.json', wanted, lambda found: _described(found, split))
    try:
        builder = tfds.builder_from_directory(os.fspath(folder))
        return builder.as_data_source(split, decoders={'image': tfds.decode.SkipDecoding()})
    except Exception as error:  # a field of another type raises one of a dozen kinds
        raise bounded.damaged(pathlib.Path(folder) / 'dataset_info.json', 'the description of its set', error) from None


def check_file(path: str | os.PathLike, records: int) -> None:
    """Refuses a file of images that is missing, damaged where it is opened, or of another length.

    Raises:
      ValueError: what is wrong, naming the file.
    """
    try:
        bounded.check_file(path, FILE_BYTES)
        reader = array_record_module.ArrayRecordReader(os.fspath(path))
        found = reader.num_records()
        reader.close()
    except FileNotFoundError:
        raise ValueError(f'{os.fspath(path)}: no such file; the set is not whole') from None
    except RuntimeError as error:
        raise bounded.damaged(path, 'a whole file of images', error) from None
    if found != records:
        raise ValueError(f'{os.fspath(path)}: {found} records, {records} were written')


FILE_BYTES = 2**42  # no part of a set comes near


def _described(content: dict, split: str) -> dict:
    """What of a dataset_info.json must be right for a split to be read."""
    lengths = {each['name']: each.get('shardLengths', []) for each in content['splits']}
    return {name: content[name] for name in ('version', 'fileFormat')} | {'splits': {split: lengths[split]}}


def _check_json(
    folder: str | os.PathLike, name: str, wanted: dict, choose: Callable[[dict], dict] = lambda found: found
) -> None:
    path, form = pathlib.Path(folder) / name, 'what TFDS knows of this set'
    try:
        found = choose(bounded.read_json(path, form))
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file; the set is not whole') from None
    except (KeyError, TypeError, AttributeError) as error:
        raise bounded.damaged(path, form, error) from None
    if found != wanted:
        raise ValueError(f'{path}: says other things of the set than were written; it is damaged')
