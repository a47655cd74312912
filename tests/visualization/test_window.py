"""Windows, with a stand-in for the functions of OpenCV that open them."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.visualization import window


class Desktop:
    """Stands in for OpenCV's window functions."""

    def __init__(self):
        self.shown, self.keys, self.visible, self.box = [], [], 1.0, (0, 0, 0, 0)

    def imshow(self, title, picture):
        self.shown.append(picture)

    def wait_key(self, milliseconds):
        return self.keys.pop(0) if self.keys else -1

    def select(self, title, picture, **options):
        self.shown.append(picture)
        return self.box


@pytest.fixture
def desktop(monkeypatch):
    made = Desktop()
    monkeypatch.setattr(cv2, 'getBuildInformation', lambda: '  Video I/O:\n  GUI:                           QT5\n')
    monkeypatch.setattr(window.sys, 'platform', 'linux')
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(window, '_opens', lambda: True)
    monkeypatch.setattr(cv2, 'namedWindow', lambda title, flags: None)
    monkeypatch.setattr(cv2, 'destroyWindow', lambda title: None)
    monkeypatch.setattr(cv2, 'imshow', made.imshow)
    monkeypatch.setattr(cv2, 'waitKey', made.wait_key)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda title, which: made.visible)
    monkeypatch.setattr(cv2, 'selectROI', made.select)
    return made


def test_a_box_is_drawn_where_there_is_a_window(desktop):
    frame = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    desktop.box = (5, 6, 7, 8)
    np.testing.assert_array_equal(window.select_box(frame, 'clip'), [5, 6, 7, 8])
    np.testing.assert_array_equal(desktop.shown[0][40:], frame[40:, :, ::-1])  # above stands how to draw
    desktop.box = (0, 0, 0, 0)
    with pytest.raises(ValueError, match='no box was drawn'):
        window.select_box(frame, 'clip')


@pytest.mark.parametrize('size', [(3840, 2160), (1000, 3000), (1281, 720)])
def test_large_frames_are_shrunk_and_boxes_are_those_of_the_frame(desktop, size):
    desktop.box = (100, 50, 40, 20)
    with window.Window('clip') as view:
        box = view.draw_box(np.zeros((size[1], size[0], 3), np.uint8))
        view.show(np.zeros((size[1], size[0], 3), np.uint8))
    scale = max(size[0] / 1280, size[1] / 720)
    np.testing.assert_allclose(box, np.multiply([100, 50, 40, 20], scale))
    for shown in desktop.shown:
        height, width = shown.shape[:2]
        assert width <= 1280 and height <= 720 and (width == 1280 or height == 720)


def test_small_frames_are_shown_as_they_are(desktop):
    frame = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    with window.Window('clip') as view:
        view.show(frame)
    np.testing.assert_array_equal(desktop.shown[0], frame[..., ::-1])


def test_reasons_for_no_window(desktop, monkeypatch):
    assert window.window_problem() is None
    monkeypatch.setattr(window, '_opens', lambda: False)
    assert window.window_problem() == "no window opens on the display ':0'"
    monkeypatch.delenv('DISPLAY')
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    assert 'no display' in window.window_problem()
    monkeypatch.setattr(cv2, 'getBuildInformation', lambda: '  GUI:                           NONE\n')
    assert 'pip install --no-deps opencv-python' in window.window_problem()
    with pytest.raises(ValueError, match='--box=x,y,w,h'):
        window.select_box(np.zeros((9, 9, 3), np.uint8), 'clip')
    with pytest.raises(ValueError, match='no window can be shown: this OpenCV has no windows'):
        window.Window('clip')


KEYS = {'q': window.QUIT, 'Q': window.QUIT, '\x1b': window.QUIT, ' ': window.PAUSE, 'b': window.ANEW, 'a': window.ADD}


@pytest.mark.parametrize(('pressed', 'means'), KEYS.items())
def test_keys(desktop, pressed, means):
    with window.Window('clip') as view:
        desktop.keys = [ord(pressed), -1]
        assert view.show(np.zeros((3, 3, 3), np.uint8)) == means
        assert view.wait() == ''
        desktop.visible = 0.0  # the user closed it
        assert view.wait() == window.QUIT


def test_a_display_that_is_not_there_is_found_out_in_another_process(monkeypatch):
    monkeypatch.setenv('DISPLAY', ':987')
    assert not window._opens()  # and this process lives on, as it would not if Qt had looked here
