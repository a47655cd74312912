"""TrackingNet: chunks, numbers without leading zeros, boxes as the devkit's own sample prints them."""

import pickle

import numpy as np
import pytest

from sctrpn_jax.data.layouts import trackingnet


@pytest.fixture
def video(tmp_path, touch, write):
    def make(chunk, name, lines, count=None):
        touch(tmp_path / chunk / 'frames' / name, range(count or len(lines)), '%d.jpg')
        write(tmp_path / chunk / 'anno' / f'{name}.txt', lines)
        return tmp_path

    return make


def test_images_are_in_order_of_number_across_chunks(video):
    lines = [f'{n}.00,102.00,245.00,174.00' for n in range(12)]
    lines[0], lines[1] = ' 1.00,102.00,245.00,174.00', '-11.54,92.42,248.73,183.07'
    video('TRAIN_10', '_late_0', lines)
    video('TRAIN_2', '-3TIfnTSM6c_2', lines)
    video('TRAIN_2', 'A_0', lines)
    root = video('TEST', 'T_0', lines[:1], 3)
    layout = pickle.loads(pickle.dumps(trackingnet.TrackingNet(root, 'train')))
    assert layout.keys() == ['-3TIfnTSM6c_2', 'A_0', '_late_0'] and layout.refused == []
    clip = layout.read('-3TIfnTSM6c_2')
    assert [image.rpartition('/')[2] for image in clip.images] == [f'{n}.jpg' for n in range(12)]
    assert clip.frames.tolist() == list(range(12)) and clip.refused == ()
    np.testing.assert_array_equal(clip.targets[0].boxes[:3, 0], [1, -11.54, 2])


def test_the_test_split_has_the_first_box_alone(video):
    root = video('TEST', 'T_0', ['150.00,111.00,43.00,79.00'], 3)
    clip = trackingnet.TrackingNet(root, 'test').read('T_0')
    np.testing.assert_array_equal(clip.targets[0].boxes[0], [150, 111, 43, 79])
    assert clip.targets[0].rows.tolist() == [0, 1, 2] and np.isnan(clip.targets[0].boxes[1:]).all() and not clip.refused
    # In training it is a file that was cut.
    root = video('TRAIN_0', 'V_0', ['150.00,111.00,43.00,79.00'], 3)
    clip = trackingnet.TrackingNet(root, 'train').read('V_0')
    assert clip.targets[0].rows.tolist() == [0]
    assert clip.refused == (f'{root}/TRAIN_0/anno/V_0.txt: got 1 rows for 3 frames; expected one per frame',)


def test_doubles_and_what_has_no_annotation(video, touch):
    video('TRAIN_0', 'V_0', ['1,1,5,5'])
    root = video('TRAIN_1', 'V_0', ['2,2,5,5'])
    touch(root / 'TRAIN_1' / 'frames' / 'W_0', [0], '%d.jpg')
    layout = trackingnet.TrackingNet(root, 'train')
    assert layout.keys() == ['V_0'] and layout.read('V_0').targets[0].boxes[0, 0] == 1
    assert layout.refused == [
        f'{root}/TRAIN_1/anno/V_0.txt: TRAIN_0 has a video of that name',
        f'{root}/TRAIN_1/frames/W_0: no annotation; expected W_0.txt in {root}/TRAIN_1/anno',
    ]


def test_damage_is_refused_by_name_and_the_rest_used(video):
    root = video('TRAIN_0', 'V_0', ['1,1,5,5', '1,1,5,1e300', '3,3,0,5', '4,4,5,5'])
    (root / 'TRAIN_0' / 'frames' / 'V_0' / '3.jpg').unlink()
    clip = trackingnet.TrackingNet(root, 'train').read('V_0')
    assert clip.targets[0].rows.tolist() == [0, 2] and np.isnan(clip.targets[0].boxes[1]).all()
    file = f'{root}/TRAIN_0/anno/V_0.txt'
    assert clip.refused == (
        f"{file}:2: '1,1,5,1e300' is no pixel position",
        f'{file}: got 4 rows for 3 frames; expected one per frame',
        f'{file}:4: no image of frame 3 in {root}/TRAIN_0/frames/V_0',
    )


def test_what_is_missing_is_named(tmp_path, video, write):
    with pytest.raises(ValueError, match=r'expected .*nowhere/TEST/anno/<video>\.txt'):
        trackingnet.TrackingNet(tmp_path / 'nowhere', 'test')
    (tmp_path / 'TRAIN_0').mkdir()
    with pytest.raises(ValueError, match=r'expected a folder .*TRAIN_0/anno'):
        trackingnet.TrackingNet(tmp_path, 'train')
    write(tmp_path / 'TRAIN_0' / 'anno' / 'V_0.txt', ['1,1,5,5'])
    (tmp_path / 'TRAIN_0' / 'frames').mkdir()
    with pytest.raises(ValueError, match=r'no images; expected them in .*frames/V_0'):
        trackingnet.TrackingNet(tmp_path, 'train').read('V_0')
