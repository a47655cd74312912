import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video
from sctrpn_jax.models import sctrpn
from sctrpn_jax.programs import following, track_video
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import results, tracker
from sctrpn_jax.tracking import starts as starts_lib
from sctrpn_jax.visualization import overlay, window

VARIABLES = {'threshold': np.uint8(128)}


def start(boxes):
    return starts_lib.Start('1', 0, tuple(boxes[0]))


@pytest.mark.parametrize('chunk', [1, 5, 11, 100])
def test_chunks_give_every_frame_and_compile_once(clip, traced, chunk):
    folder, boxes = clip
    with video.open_video(folder) as source:
        followed = following.Following(source, [start(boxes)], VARIABLES, config_lib.Config(), chunk=chunk)
        tracked = list(followed)
    assert [t.index for t in tracked] == list(range(23))
    assert [t.time for t in tracked] == pytest.approx(np.arange(23) / 25)
    np.testing.assert_allclose([t.targets[0].box for t in tracked], boxes, atol=1e-3)
    assert tracked[0].targets[0].score == 1
    assert tracked[5].targets[0].score == pytest.approx(12 * 16 / (96 * 128))
    assert traced == {'init': 1, 'step': 1}
    assert followed.compiling > 0
    assert followed.tracking > 0


@pytest.mark.parametrize('chunk', [1, 5, 100])
def test_targets_start_in_any_frame_and_compile_nothing(clip, traced, chunk):
    """Each has its own size, by which it is told; two start in one chunk, two in one frame, one in the last frame."""
    folder, boxes = clip
    begin = {'a': 0, 'b': 7, 'c': 8, 'd': 8, 'e': 22}
    starts = [starts_lib.Start(name, at, (5, 5, 10 + i, 9)) for i, (name, at) in enumerate(begin.items())]
    with video.open_video(folder) as source:
        followed = following.Following(source, starts[::-1], VARIABLES, config_lib.Config(), chunk=chunk)
        tracked = list(followed)
    assert [t.index for t in tracked] == list(range(23)) and traced == {'init': 1, 'step': 1}
    for frame in tracked:
        assert {each.name for each in frame.targets} == {name for name, at in begin.items() if at <= frame.index}
        for each in frame.targets:
            size = np.array(next(start.box[2:] for start in starts if start.name == each.name))
            centre = boxes[frame.index, :2] + boxes[frame.index, 2:] / 2
            corner = [5, 5] if frame.index == begin[each.name] else centre - size / 2
            np.testing.assert_allclose(each.box, [*corner, *size], atol=1e-3)


def test_frames_before_the_first_target_are_given(clip, traced):
    folder, boxes = clip
    with video.open_video(folder) as source:
        starts = [starts_lib.Start('late', 20, tuple(boxes[20]))]
        tracked = list(following.Following(source, starts, VARIABLES, config_lib.Config()))
    assert [len(each.targets) for each in tracked] == [0] * 20 + [1] * 3
    np.testing.assert_allclose([each.targets[0].box for each in tracked[20:]], boxes[20:], atol=1e-3)


def test_a_target_beyond_the_end_of_a_stream_is_told_after_its_frames(clip, traced):
    folder, boxes = clip
    with video.open_video(folder) as source:
        source.num_frames = None  # as a stream says nothing
        starts = [start(boxes), starts_lib.Start('late', 23, tuple(boxes[0]))]
        steps = iter(following.Following(source, starts, VARIABLES, config_lib.Config()))
        assert len([next(steps) for _ in range(23)]) == 23
        with pytest.raises(video.VideoError, match='target late starts in frame 23, but .* ended after 23 frames'):
            next(steps)


@pytest.mark.all
def test_the_real_network_gives_the_live_trackers_boxes(clip):
    folder, boxes = clip
    config = config_lib.Config()
    config.model.backbone.widths = (4,) * 5
    config.model.channels = 4
    config.model.cascade.layers = (5,)
    config.track.rerank = False
    model = sctrpn.SCTRPN(config.model)
    shapes = jax.eval_shape(model.init, jax.random.key(0), *(jnp.zeros((1, s, s, 3)) for s in (127, 255)))
    random = np.random.default_rng(0)
    variables = jax.tree.map(lambda leaf: random.uniform(0, 0.1, leaf.shape).astype(leaf.dtype), shapes)
    with video.open_video(folder) as source:
        frames = list(source)[:6]
    live = tracker.Tracker(variables, config, details=True)
    live.init(frames[0], boxes[0])
    expected = [live.update(frame) for frame in frames[1:]]
    with video.open_video(folder) as source:
        steps = iter(following.Following(source, [start(boxes)], variables, config, True, chunk=3))
        tracked = [next(steps) for _ in frames]
    for (got,), want in zip([each.targets for each in tracked[1:]], expected, strict=True):
        np.testing.assert_allclose(got.box, want.box, atol=1e-2)
        np.testing.assert_allclose(got.responses, want.response_maps, atol=1e-4)
        np.testing.assert_allclose(got.region, want.region, atol=1e-2)
    figure = track_video.draw_responses(tracked[3].frame, tracked[3].targets[0], config)
    assert figure.shape == (255 + 20, 2 * 255 + 4, 3)


@pytest.mark.parametrize('every', [6, pytest.param(1, marks=pytest.mark.all)])
def test_a_signal_at_any_statement_leaves_whole_files(clip, traced, tmp_path, signal_at, every):
    folder, boxes = clip

    def run(out):
        outputs = track_video.Outputs(out / 'boxes.csv', out / 'clip.mkv', out / 'maps', response_every=5)
        with video.open_video(folder) as source, interrupts.deferred():
            track_video.track_video(source, [start(boxes)], VARIABLES, config_lib.Config(), outputs)

    with signal_at(track_video) as executed:
        run(tmp_path / 'whole')
    for line in sorted(set(executed))[::every]:
        out = tmp_path / f'{line}'
        with signal_at(track_video, line, (executed.count(line) + 1) // 2), pytest.raises(interrupts.Interrupted):
            run(out)
        written = results.read_results(out / 'boxes.csv')[0]
        np.testing.assert_allclose(written, boxes[: len(written)], atol=1e-3)
        with video.open_video(out / 'clip.mkv') as source:
            assert len(list(source)) == len(written) > 0, line
        assert {path.name for path in out.iterdir()} == {'boxes.csv', 'clip.mkv', 'maps'}


class User:
    """Stands in for the window: presses keys when frames are shown, and draws boxes."""

    def __init__(self, keys, boxes):
        self.keys, self.boxes, self.shown, self.waited = dict(keys), list(boxes), [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def show(self, picture):
        self.shown.append(picture)
        return self.keys.pop(len(self.shown), '')

    def wait(self):
        self.waited += 1
        return window.PAUSE if self.waited % 5 == 0 else ''

    def draw_box(self, picture):
        return self.boxes.pop(0)


def watch(folder, boxes, out, monkeypatch, keys, drawn):
    user = User(keys, drawn)
    monkeypatch.setattr(window, 'Window', lambda name: user)
    outputs = track_video.Outputs(out / 'boxes.csv', out / 'clip.mkv', window=True)
    with video.open_video(folder) as source:
        summary = track_video.track_video(source, [start(boxes)], VARIABLES, config_lib.Config(), outputs)
    with video.open_video(out / 'clip.mkv') as source:
        pictures = list(source)
    assert len(pictures) == summary.frames
    return user, summary, results.read_targets(out / 'boxes.csv'), pictures


def test_a_box_drawn_anew_counts_from_its_frame_on(clip, traced, tmp_path, monkeypatch):
    folder, boxes = clip
    drawn = np.array([60.0, 50.0, 20.0, 8.0])
    user, summary, found, _ = watch(folder, boxes, tmp_path, monkeypatch, {4: window.ANEW, 6: window.QUIT}, [drawn])
    # The frame is shown once more with the new box: the 4th and 5th picture are frame 3.
    assert summary.frames == 5 and set(found) == {'1'} and traced == {'init': 1, 'step': 1}
    np.testing.assert_allclose(found['1'].boxes[:3], boxes[:3], atol=1e-3)
    np.testing.assert_allclose(found['1'].boxes[3], drawn)
    np.testing.assert_allclose(
        found['1'].boxes[4], [*(boxes[4, :2] + boxes[4, 2:] / 2 - drawn[2:] / 2), 20, 8], atol=1e-3
    )
    assert found['1'].scores[3] == 1


def test_targets_are_added_while_the_video_is_paused(clip, traced, tmp_path, monkeypatch):
    folder, boxes = clip
    drawn = [np.array([60.0, 50.0, 20.0, 8.0]), None, np.array([80.0, 50.0, 6.0, 8.0])]
    keys = {3: window.ADD, 4: window.ADD, 5: window.PAUSE, 7: window.ADD}
    user, summary, found, pictures = watch(folder, boxes, tmp_path, monkeypatch, keys, drawn)
    assert user.waited == 5 and summary.frames == 23 and traced == {'init': 1, 'step': 1}
    assert {name: each.frames.tolist() for name, each in found.items()} == {
        '1': list(range(23)),
        '2': list(range(2, 23)),
        '3': list(range(4, 23)),
    }
    for color in overlay.COLORS[:3]:
        assert (pictures[4] == color).all(-1).sum() > 20
    assert not (pictures[1] == overlay.COLORS[1]).all(-1).any()


def test_a_target_where_another_is_is_followed_and_told(clip, traced, monkeypatch):
    folder, boxes = clip
    said = []
    monkeypatch.setattr(following._log, 'warning', lambda text, *values: said.append(text % values))
    with video.open_video(folder) as source:
        starts = [start(boxes), starts_lib.Start('again', 4, tuple(boxes[4] + [0, 1, 0, 0]))]
        tracked = list(following.Following(source, starts, VARIABLES, config_lib.Config()))
    assert said == ['target again starts in frame 4 where target 1 is'] and len(tracked[-1].targets) == 2
