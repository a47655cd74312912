"""Streams from a server on this machine: they stall, end, come back; and cameras that cannot be had."""

import contextlib
import http.server
import threading
import time

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import capture, video
from sctrpn_jax.system import interrupts

SIZE = (96, 64)
LEVELS = tuple(
    range(20, 240, 20)
)  # of grey; each frame has its own. FFmpeg wants to see a few before it opens a stream


def jpeg(level):
    return cv2.imencode('.jpg', np.full((SIZE[1], SIZE[0], 3), level, np.uint8))[1].tobytes()


@contextlib.contextmanager
def serving(handle):
    """Address of a server on 127.0.0.1 that answers the n-th request (from 0) with handle(request, n)."""
    numbers = iter(range(1000))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):  # the reader may have left
                handle(self, next(numbers))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_address[1]}'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def stream(request, levels, wait=0.0):
    """Motion JPEG as network cameras send it."""
    request.send_response(200)
    request.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
    request.end_headers()
    for level in levels:
        picture = jpeg(level)
        head = f'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n'
        request.wfile.write(head.encode() + picture + b'\r\n')
        request.wfile.flush()
        time.sleep(wait)


def read_levels(source, most=100):
    return [int(np.median(frame)) for _, frame in zip(range(most), source, strict=False)]


@pytest.fixture
def said(monkeypatch):
    lines = []
    for module in (capture, video):
        monkeypatch.setattr(module._log, 'warning', lambda text, *values: lines.append(text % values))
    return lines


def test_a_stream_that_ends_and_does_not_come_back(said):
    def handle(request, number):
        if number == 0:
            stream(request, LEVELS, 0.05)
        else:
            request.send_error(503)

    with serving(handle) as address, video.open_video(f'{address}/live', reconnect=0.8) as source:
        assert (source.live, source.num_frames, source.size, source.fps) == (True, None, SIZE, 25.0)
        levels, times = [], []
        with pytest.raises(
            video.VideoError, match=r'/live stopped giving frames after 11 and did not come back within 0.8 s'
        ):
            for frame in source:
                levels.append(int(np.median(frame)))
                times.append(source.time)
    np.testing.assert_allclose(levels, LEVELS, atol=2)
    assert times[0] == 0 and (np.diff(times) > 0).all() and times[-1] < 5
    assert len(said) == 1 and 'connecting again, for 0.8 s at most' in said[0]


def test_a_stream_that_stalls_and_comes_back(said, monkeypatch):
    monkeypatch.setattr(capture, 'STALL_SECONDS', 0.5)
    left = threading.Event()

    def handle(request, number):
        if number == 0:
            stream(request, LEVELS[:6])
            left.wait(30)
        elif number == 1:
            request.send_error(503)
        else:
            stream(request, LEVELS[6:], 0.02)
            left.wait(30)

    try:
        with serving(handle) as address, video.open_video(f'{address}/live', reconnect=30) as source:
            begin = time.monotonic()
            np.testing.assert_allclose(read_levels(source, 11), LEVELS, atol=2)
            assert 0.4 < time.monotonic() - begin < 15
            assert source.time > 0.4  # as it was on the wall: the gap is in the times
            left.set()
    finally:
        left.set()
    assert len(said) == 2 and 'stopped giving frames after 6; connecting again' in said[0] and 'back after' in said[1]


def test_a_signal_ends_the_wait(said, monkeypatch):
    with serving(
        lambda request, number: stream(request, LEVELS) if number == 0 else request.send_error(503)
    ) as address:
        with video.open_video(f'{address}/live', reconnect=600) as source:
            monkeypatch.setattr(interrupts, 'noted', lambda: len(said) > 0)
            assert len(read_levels(source)) == 11


def test_without_a_wait_a_stream_ends_at_once(said):
    with serving(lambda request, number: stream(request, LEVELS)) as address:
        with video.open_video(f'{address}/live', reconnect=0) as source:
            with pytest.raises(video.VideoError, match='stopped giving frames after 11$'):
                read_levels(source)
    assert said == []


@pytest.mark.parametrize('share', [1.0, 0.5])
def test_a_file_from_a_server(tmp_path, said, share):
    frames = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), np.uint8)
    writer = cv2.VideoWriter(str(tmp_path / 'clip.avi'), cv2.VideoWriter_fourcc(*'FFV1'), 12.5, (64, 48))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    content = (tmp_path / 'clip.avi').read_bytes()

    def handle(request, number):
        request.send_response(200)
        request.send_header('Content-Length', str(len(content)))
        request.end_headers()
        request.wfile.write(content[: int(len(content) * share)])

    with serving(handle) as address, video.open_video(f'{address}/clip.avi') as source:
        assert (source.live, source.num_frames, source.fps) == (False, 20, pytest.approx(12.5))
        read, times = [], []
        for frame in source:
            read.append(frame)
            times.append(source.time)
    assert times == pytest.approx(np.arange(len(times)) / 12.5)
    whole = len(read) - (share < 1)  # the frame that was cut through may be given too, damaged
    np.testing.assert_array_equal(read[:whole], frames[:whole])
    if share == 1:
        assert len(read) == 20 and said == []
    else:
        assert 7 <= len(read) <= 11 and len(said) == 1 and f'20 frames, {len(read)} can' in said[0]


def test_addresses_without_a_video(said, monkeypatch):
    with serving(lambda request, number: request.send_error(404)) as address:
        with pytest.raises(video.VideoError, match='cannot open http://127.0.0.1:.*no video at this address'):
            video.open_video(f'{address}/none.mp4')
    with pytest.raises(video.VideoError, match='cannot open'):
        video.open_video(f'{address}/none.mp4')  # nothing listens there now


def test_no_password_is_shown(said):
    with serving(lambda request, number: stream(request, LEVELS)) as address:
        with video.open_video(address.replace('//', '//user:secret@') + '/live', reconnect=0) as source:
            assert source.name == f'{address}/live'
            with pytest.raises(video.VideoError) as caught:
                read_levels(source)
    assert 'secret' not in str(caught.value)
    with pytest.raises(video.VideoError) as caught:
        video.open_video(address.replace('//', '//user:secret@'))
    assert 'secret' not in str(caught.value)


def test_why_a_camera_cannot_be_had(tmp_path, monkeypatch):
    """OpenCV says no more than that it could not open it."""
    monkeypatch.setattr(capture.sys, 'platform', 'linux')
    (tmp_path / 'video7').touch()
    monkeypatch.setattr(capture.pathlib, 'Path', lambda path: tmp_path / path.removeprefix('/dev/'))
    with pytest.raises(video.VideoError, match='cannot open camera:8: no such camera'):
        capture.Capture(8)
    with pytest.raises(video.VideoError, match='cannot open camera:7: another program uses'):
        capture.Capture(7)
    monkeypatch.setattr(capture.os, 'access', lambda path, mode: False)
    with pytest.raises(video.VideoError, match='cannot open camera:7: you may not use .*group "video"'):
        capture.Capture(7)
