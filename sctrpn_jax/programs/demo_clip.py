"""The demo: a generated clip tracked with a pretrained network; generated clips as a benchmark for any tracker."""

import pathlib

import cv2
import jax
import numpy as np

from sctrpn_jax.data import generated
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.programs import following, track_video
from sctrpn_jax.system import files
from sctrpn_jax.tracking import tracker
from sctrpn_jax.visualization import overlay, response_maps, video_writer
from sctrpn_jax.weights import pretrained


def run(output: str | pathlib.Path, seed: int = 7, num_frames: int = 90, shown_frame: int = 40) -> dict[str, float]:
    """Tracks a generated clip and writes `demo.mp4` and `response_maps.png`.

    Args:
      output: folder to write to.
      seed: of the clip.
      num_frames: its length.
      shown_frame: whose response maps are drawn, from 1 on.

    Returns:
      `success_auc` and `precision` (20 px) against the clip's own boxes, 0..1.
    """
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    variables, config = pretrained.load_pretrained()
    frames, truth = generated.make_sequence(seed, num_frames)
    result = jax.device_get(tracker.track_sequence(variables, frames, truth[0], config, details=True))
    height, width = frames.shape[1:3]
    with video_writer.VideoWriter(output / 'demo.mp4', (width, height), 25.0) as video:
        for frame, box, score, hidden, true in zip(frames, result.box, result.score, result.hidden, truth, strict=True):
            video.write(overlay.draw(frame, box, float(score), true, hidden=bool(hidden)))
    at = shown_frame
    target = following.TrackedTarget(
        '1', result.box[at], float(result.score[at]), False, result.region[at - 1], result.response_maps[at - 1]
    )
    figure = track_video.draw_responses(frames[at], target, config)
    response_maps.write_png(output / 'response_maps.png', figure)
    boxes = np.asarray(result.box, np.float64)
    return {'success_auc': one_pass.success_auc(boxes, truth), 'precision': one_pass.precision(boxes, truth)}


def write_clips(folder: str | pathlib.Path, count: int, num_frames: int = 80, first_seed: int = 100) -> None:
    """Writes generated clips in OTB's layout: each target among objects that look like it.

    For `sctrpn evaluate` and `sctrpn reports compare`.

    Args:
      folder: gets `clip<seed>/img/*.jpg` and `clip<seed>/groundtruth_rect.txt`.
      count: of clips.
      num_frames: of each.
      first_seed: seed of the first clip; the others have the seeds after it.

    Raises:
      OSError: a folder that cannot be written.
    """
    for seed in range(first_seed, first_seed + count):
        clip = pathlib.Path(folder) / f'clip{seed}'
        (clip / 'img').mkdir(parents=True, exist_ok=True)
        frames, boxes = generated.make_sequence(seed, num_frames)
        for number, frame in enumerate(frames, start=1):
            path = clip / 'img' / f'{number:04d}.jpg'
            if not cv2.imwrite(str(path), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)):
                raise OSError(f'{path}: cannot be written')
        # OTB counts pixels from 1. Last, so that a clip whose writing was interrupted is not taken for whole.
        lines = (','.join(f'{value:.2f}' for value in (box + [1, 1, 0, 0])) for box in boxes)
        files.write_text(clip / 'groundtruth_rect.txt', '\n'.join(lines) + '\n')
