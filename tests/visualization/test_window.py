import cv2
import numpy as np
import pytest

from sctrpn_jax.visualization import window


@pytest.fixture
def desktop(monkeypatch):
    monkeypatch.setattr(cv2, 'getBuildInformation', lambda: '  Video I/O:\n  GUI:                           QT5\n')
    monkeypatch.setattr(window.sys, 'platform', 'linux')
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(cv2, 'destroyWindow', lambda title: None)


def test_a_box_is_drawn_where_there_is_a_window(desktop, monkeypatch):
    shown = []

    def select(title, picture, **options):
        shown.append(picture)
        return (5, 6, 7, 8)

    monkeypatch.setattr(cv2, 'selectROI', select)
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(window.select_box(frame), [5, 6, 7, 8])
    np.testing.assert_array_equal(shown[0], frame[..., ::-1])
    monkeypatch.setattr(cv2, 'selectROI', lambda *_, **__: (0, 0, 0, 0))
    with pytest.raises(ValueError, match='no box was drawn'):
        window.select_box(frame)


def test_reasons_for_no_window(desktop, monkeypatch):
    assert window.window_problem() is None
    monkeypatch.delenv('DISPLAY')
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    assert 'no display' in window.window_problem()
    monkeypatch.setattr(cv2, 'getBuildInformation', lambda: '  GUI:                           NONE\n')
    assert 'opencv-python' in window.window_problem()
    with pytest.raises(ValueError, match='--box=x,y,w,h'):
        window.select_box(np.zeros((9, 9, 3), np.uint8))


@pytest.mark.parametrize('key, goes_on', [(ord('q'), False), (27, False), (-1, True), (ord('a'), True)])
def test_keys(monkeypatch, key, goes_on):
    shown = []
    monkeypatch.setattr(cv2, 'imshow', lambda title, picture: shown.append(picture))
    monkeypatch.setattr(cv2, 'waitKey', lambda wait: key)
    frame = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    assert window.show('camera:0', frame) is goes_on
    np.testing.assert_array_equal(shown[0], frame[..., ::-1])
