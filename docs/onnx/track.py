"""Follows one object through a video with the ONNX models that `sctrpn export --format=onnx` writes.

It needs NumPy, OpenCV and onnxruntime, but neither JAX nor sctrpn_jax: an example to copy, or to translate.

  python docs/onnx/track.py --models=onnx --video=clip.mp4 --box=92,81,51,52 > boxes.csv
"""

import argparse
import json
import pathlib
import sys
import time

import correlation_filter
import cv2
import numpy as np
import selection
from geometry import TEMPLATE, context_side, corrected, crop_frame, overlap, search_side

FORMAT = 'sctrpn_jax ONNX models, 1'
MIN_SIDE = 4.0  # of the target, frame pixels
# How the first frame is looked at to measure the network's bias: shift in target sizes, factor of the size.
VIEWS = ((0, 0, 1), (-0.2, -0.2, 1.1), (0.2, 0.2, 1.1), (-0.2, 0.2, 0.91), (0.2, -0.2, 0.91))
MOST_BIAS, HELD = 0.5, 0.3  # a bias is no larger; overlap with the truth below which something else was found
SHARE, RATE = 0.45, 0.03  # a score below this share of the usual one is a hidden target's; its weight in the usual
TO_PEAK = 0.5  # how far the box's centre goes to the peak of the filter's response


class Tracker:
    """Follows one object; frames are [H, W, 3] uint8 RGB, all of one size.

    Args:
      run: (name of a model, inputs by name) -> outputs by name.
      config: of the manifest.

    Attributes:
      centre, size: [2] of the target, frame pixels.
      hidden: whether the target was taken to be hidden in the last frame.
    """

    def __init__(self, run, config):
        self.run, self.settings = run, config['track']
        selection.check(self.settings)
        self.search, self.recovery = self.settings['search_size'], self.settings['recovery']

    def init(self, frame, box):
        """Starts on a target: x, y, w, h of its box in frame pixels."""
        box = np.asarray(box, np.float64)
        self.centre, self.size, self.first_size = box[:2] + box[2:] / 2, box[2:], box[2:]
        self.limits, self.fill = np.array([frame.shape[1], frame.shape[0]], np.float64), frame.mean((0, 1))
        self.hidden, self.usual, self.bias, self.filter = False, 0.0, np.zeros(4), None
        image = crop_frame(frame, self.centre, context_side(self.size), TEMPLATE, self.fill)
        self.known = self.run('template', {'image': image[None]})
        self.known['target'] = np.float32(self.size * TEMPLATE / context_side(self.size))[None]

        side = search_side(self.size, self.search)
        crop, in_crop = crop_frame(frame, self.centre, side, self.search, self.fill), self.size * self.search / side
        self.contours = [0, 0]
        if self.settings['rerank']:
            found = selection.contour_boxes(crop, self.settings['edge_threshold'])
            middle = np.array([[self.search / 2, self.search / 2, *in_crop]])
            self.contours = [selection.count_enclosed(found, middle)[0]] * 2
        if self.settings['filter_exponent']:
            self.filter = correlation_filter.CorrelationFilter(self._network(crop)['first'], in_crop)
        if self.settings['first_frame']['correction'] or self.recovery['score']:
            self._measure(frame)

    def update(self, frame):
        """Finds the target in the next frame; returns x, y, w, h in frame pixels, and the confidence 0..1."""
        scale = self.search / search_side(self.size, self.search)
        search = self.recovery['search_size'] if self.hidden and self.recovery['search_size'] else self.search
        best, score, rate, contours, seen = self._look(frame, self.centre, self.size, search)
        best = corrected(best, self.bias)
        centre, rate = best[:2], np.clip(rate * self.settings['size_rate'], 0, 1)
        if seen:
            centre = centre + TO_PEAK * (self.centre + seen[1] / scale - centre)
        size = np.clip(self.size * (1 - rate) + best[2:] * rate, MIN_SIDE, np.maximum(self.limits, MIN_SIDE))
        lost, confidence = score < self.recovery['score'], score
        if self.recovery['score']:
            self.hidden = bool(lost or score < SHARE * self.usual)
            self.usual += RATE * (score - self.usual)
            confidence = np.sqrt(score * self.usual)
        if not lost:
            self.centre = np.clip(centre, 0, self.limits)
        if not self.hidden:
            self.size, self.contours[1] = size, contours
            if seen:
                self.filter.update(*seen, size * scale)
        return np.concatenate([self.centre - self.size / 2, self.size]), float(confidence)

    def _measure(self, frame):
        """The network's bias on this target, and its usual score, from the first frame."""
        errors, scores, truth = [], [], np.concatenate([self.centre, self.size])
        for x, y, factor in VIEWS:
            best, score, *_ = self._look(frame, self.centre + self.size * (x, y), self.size * factor, self.search)
            scores.append(score)
            if overlap(best[None], truth)[0] > HELD:
                errors.append([*(best[:2] - truth[:2]) / truth[2:], *np.log(best[2:] / truth[2:])])
        self.usual = np.mean(scores)
        if errors:
            mean = self.settings['first_frame']['correction'] * np.mean(errors, 0)
            self.bias = np.clip(mean, -MOST_BIAS, MOST_BIAS)

    def _network(self, crop):
        name = 'search' if len(crop) == self.search else 'search_far'
        return {key: value[0] for key, value in self.run(name, {'crop': crop[None], **self.known}).items()}

    def _look(self, frame, centre, size, search):
        """The best box [4] centre form, frame pixels; its score, weight of its size, contours; what the filter sees."""
        side = search_side(size, search)
        crop = crop_frame(frame, centre, side, search, self.fill)
        found = self._network(crop)
        scores = 1 / (1 + np.exp(-np.nan_to_num(found['logits'], nan=-100, posinf=100, neginf=-100)))
        scores = scores.mean(0) if self.settings['stage_scores'] == 'mean' else scores[-1]
        boxes, ranked, seen = np.nan_to_num(found['boxes'][-1], nan=search / 2), scores, None
        if self.filter:
            response = self.filter.respond(found['first'])
            there = correlation_filter.evidence(response, corrected(boxes, self.bias)[:, :2], search)
            ranked = scores * there ** self.settings['filter_exponent']
        boxes = np.concatenate([boxes[:, :2], np.clip(boxes[:, 2:], 1, 2 * search)], -1)
        sizes = self.first_size * search / side, size * search / side
        best, index, penalty, contours = selection.select(
            ranked, boxes, found['mask'], crop, sizes, self.contours, self.settings
        )
        score = scores[index]
        rate = penalty * score
        if self.filter:
            peak, height = correlation_filter.peak_near(response, corrected(best, self.bias), search)
            seen = self.filter.inner(found['first']), peak - search / 2
            score = np.sqrt(score * min(height, 1))
        in_frame = np.concatenate([(best[:2] - search / 2) * side / search + centre, best[2:] * side / search])
        return in_frame, score, rate, contours, seen


def load(folder):
    """A `Tracker` of an exported folder; ValueError for one that does not fit."""
    folder, sessions = pathlib.Path(folder), {}
    try:
        manifest = json.loads((folder / 'manifest.json').read_text())
    except (OSError, ValueError):
        raise ValueError(f'{folder}: no ONNX models here (no manifest.json that can be read)') from None
    if not isinstance(manifest, dict) or manifest.get('format') != FORMAT:
        raise ValueError(f'{folder}: not of `sctrpn export --format=onnx`, or of another version')
    import onnxruntime

    for name in manifest['outputs']:
        try:
            session = onnxruntime.InferenceSession(folder / name, providers=['CPUExecutionProvider'])
        except Exception as error:  # of onnxruntime's own kinds
            reason = str(error).splitlines()[0]
            raise ValueError(f'{folder / name}: onnxruntime cannot read it ({reason})') from None
        sessions[name.removesuffix('.onnx')] = session

    def run(name, inputs):
        session = sessions[name]
        taken = {each.name: inputs[each.name] for each in session.get_inputs()}
        return dict(zip((each.name for each in session.get_outputs()), session.run(None, taken), strict=True))

    return Tracker(run, manifest['config'])


def main():
    """Tracks, and writes boxes.csv to standard output; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--models', required=True, help='Folder that sctrpn export --format=onnx wrote.')
    parser.add_argument('--video', required=True, help='File, or the pattern of numbered images: img/%%04d.jpg.')
    parser.add_argument('--box', required=True, help='x,y,w,h of the object in the first frame, pixels.')
    args = parser.parse_args()
    try:
        box = [float(part) for part in args.box.split(',')]
        if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
            raise ValueError
    except ValueError:
        return fail(f'--box: got {args.box!r}; give four numbers x,y,w,h, the last two above 0')
    try:
        tracker = load(args.models)
    except ValueError as error:
        return fail(error)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it warns where the numbered images end
    # For numbered images OpenCV would ask FFmpeg, whose colours of a JPEG differ a little from cv2.imread's.
    video = cv2.VideoCapture(args.video, cv2.CAP_IMAGES if '%' in args.video else cv2.CAP_ANY)
    count, spent = 0, 0.0
    while (read := video.read())[0]:
        frame, score, start = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB), 1.0, time.perf_counter()
        if count:
            box, score = tracker.update(frame)
            spent += time.perf_counter() - start
        else:
            tracker.init(frame, box)
            print('frame,x,y,w,h,score,hidden')
        print(count, *(f'{value:.4f}' for value in box), f'{score:.6f}', int(tracker.hidden), sep=',', flush=True)
        count += 1
    if not count:
        return fail(f'--video: {args.video}: no frame can be read')
    if spent:
        print(f'{count} frames, {(count - 1) / spent:.1f} a second', file=sys.stderr)
    return 0


def fail(message):
    """Prints one line; returns the exit code of bad input."""
    print(f'track.py: {message}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
