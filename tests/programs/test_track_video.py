import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video
from sctrpn_jax.models import sctrpn
from sctrpn_jax.programs import track_video
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import results, tracker

VARIABLES = {'threshold': np.uint8(128)}


@pytest.mark.parametrize('chunk', [1, 5, 11, 100])
def test_chunks_give_every_frame_and_compile_once(clip, traced, chunk):
    folder, boxes = clip
    summary = track_video.Summary()
    with video.open_video(folder) as source:
        tracked = list(track_video.track_frames(source, boxes[0], VARIABLES, config_lib.Config(), summary, chunk=chunk))
    assert [t.index for t in tracked] == list(range(23))
    np.testing.assert_allclose([t.box for t in tracked], boxes, atol=1e-3)
    assert tracked[0].score == 1
    assert tracked[5].score == pytest.approx(12 * 16 / (96 * 128))
    assert traced == {'init': 1, 'step': 1}
    assert summary.compiling > 0
    assert summary.tracking > 0


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
        steps = track_video.track_frames(source, boxes[0], variables, config, track_video.Summary(), True, chunk=3)
        tracked = [next(steps) for _ in frames]
    for got, want in zip(tracked[1:], expected, strict=True):
        np.testing.assert_allclose(got.box, want.box, atol=1e-2)
        np.testing.assert_allclose(got.responses, want.response_maps, atol=1e-4)
        np.testing.assert_allclose(got.region, want.region, atol=1e-2)
    figure = track_video.draw_responses(tracked[3], config)
    assert figure.shape == (255 + 20, 2 * 255 + 4, 3)


@pytest.mark.parametrize('every', [6, pytest.param(1, marks=pytest.mark.all)])
def test_a_signal_at_any_statement_leaves_whole_files(clip, traced, tmp_path, signal_at, every):
    folder, boxes = clip

    def run(out):
        outputs = track_video.Outputs(out / 'boxes.csv', out / 'clip.mkv', out / 'maps', response_every=5)
        with video.open_video(folder) as source, interrupts.deferred():
            track_video.track_video(source, boxes[0], VARIABLES, config_lib.Config(), outputs)

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
