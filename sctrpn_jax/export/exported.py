"""Tracks with what `sctrpn export` wrote, without the model code: jax, NumPy and flatbuffers are all it needs."""

import hashlib
import io
import os
import pathlib
import typing
from collections.abc import Sequence

import jax
import numpy as np
from jax import export

from sctrpn_jax import bounded
from sctrpn_jax.tracking import inputs

FORMAT = 'sctrpn_jax exported tracker, 2'
MANIFEST = 'manifest.json'
FILES = {
    'template': 'template.stablehlo',
    'step': 'step.stablehlo',
    'weights': 'weights.npz',
    'config': 'weights.json',  # so that the weights can be read without the programs
}


class Output(typing.NamedTuple):
    """One frame's result (with a leading [B] from `update_batch`).

    Attributes:
      box: [4] top-left form, 0-based frame pixels.
      score: [] confidence, 0..1.
      hidden: [] bool: the target is taken to be hidden, wholly or for the most part.
      region: [3] centre x, centre y and side of the search region, frame pixels.
    """

    box: np.ndarray
    score: np.ndarray
    hidden: np.ndarray
    region: np.ndarray


class ExportedTracker:
    """Follows one object in live frames, or a batch of objects, each in frames of its own.

    Args:
      folder: that `sctrpn export` wrote.
      weights: other weights of the same network (.npz of `sctrpn weights export`); None: those in the folder.

    Attributes:
      manifest: the content of `manifest.json`.

    Raises:
      ValueError: a folder, file or machine that does not fit.
    """

    def __init__(self, folder: str | os.PathLike, weights: str | os.PathLike | None = None):
        folder = pathlib.Path(folder)
        self.manifest = _read_manifest(folder)
        self._largest = self.manifest['frame']['largest']
        template, step = (_load_program(folder, name, self.manifest) for name in ('template', 'step'))
        wanted = _check_programs(folder, template, step, self.manifest)
        self._template, self._step = jax.jit(template.call), jax.jit(step.call)
        self._weights = jax.device_put(_read_weights(folder, weights, wanted, self.manifest))
        self._state, self._shapes = None, []

    def init(self, frame: np.ndarray, box: Sequence[float]) -> None:
        """Starts on a target.

        Args:
          frame: [H, W, 3] uint8 RGB (grey and RGBA are converted), no larger than the folder's frames.
          box: x, y, w, h; top-left form, 0-based pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        self.init_batch([frame], [box])

    def update(self, frame: np.ndarray) -> Output:
        """Finds the target in the next frame.

        Args:
          frame: [H, W, 3] uint8 RGB, of the first frame's size.

        Returns:
          `Output`.

        Raises:
          ValueError: a bad frame, another size, or no `init` before.
        """
        return Output(*(value[0] for value in self.update_batch([frame])))

    def init_batch(self, frames: Sequence[np.ndarray], boxes: Sequence[Sequence[float]]) -> None:
        """Starts on B targets: B frames, of whatever sizes, and B boxes in `init`'s form.

        Raises:
          ValueError: what `init` refuses, or a batch size that the folder was not exported for.
        """
        fixed = self.manifest['batch']
        if not len(frames) == len(boxes) > 0 or isinstance(fixed, int) and len(frames) != fixed:
            accepted = f'{fixed} of both' if isinstance(fixed, int) else 'as many of both, one or more'
            raise ValueError(f'got {len(frames)} frames and {len(boxes)} boxes; this export takes {accepted}')
        frames = [inputs.check_frame(frame) for frame in frames]
        boxes = [inputs.check_box(box, f.shape[1], f.shape[0]) for f, box in zip(frames, boxes, strict=True)]
        for height, width, _ in (frame.shape for frame in frames):
            if width > self._largest['width'] or height > self._largest['height']:
                largest = '{width} x {height}'.format(**self._largest)
                raise ValueError(f'frame: got {width} x {height} pixels; this export takes up to {largest}')
        extents = np.array([[frame.shape[1], frame.shape[0]] for frame in frames], np.int32)
        self._state = self._template(self._weights, self._pad(frames), np.stack(boxes), extents)
        self._shapes = [frame.shape for frame in frames]

    def update_batch(self, frames: Sequence[np.ndarray]) -> Output:
        """Finds the B targets in their next frames.

        Raises:
          ValueError: what `update` refuses, or another number of frames than before.
        """
        if self._state is None:
            raise ValueError('update: call init(frame, box) first')
        frames = [inputs.check_frame(frame) for frame in frames]
        if len(frames) != len(self._shapes):
            raise ValueError(f'got {len(frames)} frames; the targets are {len(self._shapes)}')
        for frame, shape in zip(frames, self._shapes, strict=True):
            if frame.shape != shape:
                raise ValueError(f'frame: got {frame.shape[:2]}, the first was {shape[:2]} (height, width)')
        self._state, output = self._step(self._weights, self._state, self._pad(frames))
        return Output(**jax.device_get(output))

    def _pad(self, frames: list[np.ndarray]) -> np.ndarray:
        padded = np.zeros((len(frames), self._largest['height'], self._largest['width'], 3), np.uint8)
        for place, frame in zip(padded, frames, strict=True):
            place[: frame.shape[0], : frame.shape[1]] = frame
        return padded


def digest(content: bytes) -> str:
    """SHA-256 as the manifest has it."""
    return hashlib.sha256(content).hexdigest()


def _read_manifest(folder: pathlib.Path) -> dict:
    path = folder / MANIFEST
    form = 'the manifest of an exported tracker'
    try:
        manifest = bounded.read_json(path, form)
    except FileNotFoundError:
        raise ValueError(f'{folder}: no exported tracker here (no {MANIFEST})') from None
    try:
        found = manifest['format']
        minimum = tuple(int(part) for part in manifest['minimum_jax'].split('.'))
        convention, platforms = int(manifest['calling_convention_version']), list(map(str, manifest['platforms']))
        # What is read later: a manifest without it is one clear line now.
        _ = manifest['jax'], manifest['batch'], manifest['arrays']['weights'].items()
        _ = [manifest['sha256'][name] for name in FILES.values()], sum(manifest['frame']['largest'].values())
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise bounded.damaged(path, form, error) from None
    if found != FORMAT:
        raise ValueError(f'{path}: got format {found!r}, accepted is {FORMAT!r}')
    # Older versions may do within three weeks (jax.export's promise), which nobody can count on.
    if jax.__version_info__ < minimum:
        raise ValueError(
            f'{folder}: exported by jax {manifest["jax"]}, this is {jax.__version__}; install that or newer'
        )
    low, high = export.minimum_supported_calling_convention_version, export.maximum_supported_calling_convention_version
    if not low <= convention <= high:
        raise ValueError(
            f'{folder}: calling convention {convention}, jax {jax.__version__} reads {low} to {high}; export it again'
        )
    here = export.default_export_platform()
    if here not in platforms:
        raise ValueError(f'{folder}: exported for {", ".join(platforms)}; this machine runs {here}')
    return manifest


def _read(folder: pathlib.Path, name: str, manifest: dict) -> bytes:
    path = folder / FILES[name]
    try:
        bounded.check_file(path, bounded.ARRAY_BYTES)
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f'{path}: cannot be read ({error.strerror})') from None
    if digest(content) != manifest['sha256'][path.name]:
        raise ValueError(f'{path}: damaged, or of another export (its SHA-256 is not the one in {MANIFEST})')
    return content


def _load_program(folder: pathlib.Path, name: str, manifest: dict) -> export.Exported:
    content = _read(folder, name, manifest)
    try:
        return export.deserialize(bytearray(content))
    except ImportError:
        raise ValueError('an exported tracker needs flatbuffers; install it: pip install flatbuffers') from None
    except Exception as error:  # whatever the reader of another version trips over
        reason = str(error).strip().split('\n')[0]
        raise ValueError(
            f'{folder / FILES[name]}: of jax {manifest["jax"]}; jax {jax.__version__} cannot read it ({reason})'
        ) from error


def _check_programs(
    folder: pathlib.Path, template: export.Exported, step: export.Exported, manifest: dict
) -> dict[str, jax.core.ShapedArray]:
    """What the programs take for weights; ValueError where they do not go together, or not with the manifest."""
    weights, frame, *_ = _taken(template)
    height, width = frame.shape[1:3]
    batch = frame.shape[0] if isinstance(frame.shape[0], int) else 'symbolic'
    taken = {name: {'shape': list(each.shape), 'dtype': str(each.dtype)} for name, each in weights.items()}
    described = manifest['arrays']['weights'], manifest['frame']['largest'], manifest['batch']
    if described != (taken, {'width': width, 'height': height}, batch):
        raise ValueError(f'{folder / MANIFEST}: not of the programs beside it, which take other weights or frames')
    state = jax.tree.unflatten(template.out_tree, template.out_avals)
    if str(_taken(step)) != str((weights, state, frame)):
        raise ValueError(f'{folder}: {FILES["template"]} and {FILES["step"]} are of different exports')
    return weights


def _taken(program: export.Exported) -> tuple:
    return jax.tree.unflatten(program.in_tree, program.in_avals)[0]


def _read_weights(
    folder: pathlib.Path,
    other: str | os.PathLike | None,
    wanted: dict[str, jax.core.ShapedArray],
    manifest: dict,
) -> dict[str, np.ndarray]:
    path = folder / FILES['weights'] if other is None else pathlib.Path(other)
    source = path if other is not None else io.BytesIO(_read(folder, 'weights', manifest))
    try:
        with bounded.ArrayFile(source, 'a weights file of this project', str(path)) as file:
            bounded.check_fit(path, file.headers, wanted)
            arrays = {name: file[name] for name in wanted}
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file') from None
    bounded.check_finite(path, arrays)
    return {name: value.astype(wanted[name].dtype) for name, value in arrays.items()}
