"""The program ffmpeg as an encoder, where it is installed: H.264, which every browser plays, and GIF."""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

_ENDS_WITHIN = 600.0  # seconds: what is left to encode when the last frame is written
_GIF_WIDTH = 640  # pixels at most: a GIF of larger frames is too large to be sent
# A palette for each frame, so that no frame has to be kept until the last one is known.
_GIF = (
    f'[0:v]scale=min({_GIF_WIDTH}\\,iw):-1:flags=area,split[a][b];'
    '[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1'
)
_ENCODERS = {
    '.mp4': ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'],
    '.gif': ['-filter_complex', _GIF],
}


@functools.cache
def program(suffix: str) -> str | None:
    """Path of an ffmpeg that writes files with a suffix (`.mp4`, `.gif`); None where there is none."""
    found = shutil.which('ffmpeg')
    if found is None or suffix not in _ENCODERS:
        return None
    wanted = 'libx264' if suffix == '.mp4' else 'gif'
    try:
        listed = subprocess.run([found, '-v', 'error', '-encoders'], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found if f' {wanted} ' in listed.stdout else None


class FfmpegEncoder:
    """An ffmpeg process that takes frames through a pipe.

    Args:
      path: file to write, `.mp4` or `.gif`; `program` must have found one for it.
      size: (width, height) of the frames, pixels; both even for `.mp4`.
      fps: frames per second, positive.

    Raises:
      OSError: the program cannot be started.
    """

    def __init__(self, path: pathlib.Path, size: tuple[int, int], fps: float):
        self._messages = tempfile.TemporaryFile()
        command = [program(path.suffix.lower()) or 'ffmpeg', '-v', 'error', '-y']
        command += [
            '-f',
            'rawvideo',
            '-pix_fmt',
            'rgb24',
            '-s',
            f'{size[0]}x{size[1]}',
            '-r',
            f'{fps:.6f}',
            '-i',
            'pipe:0',
        ]
        # A name is never taken for an option or a protocol.
        command += [*_ENCODERS[path.suffix.lower()], f'file:{os.path.abspath(path)}']
        # A session of its own: Ctrl-C is for us, who then complete the file.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._messages,
            start_new_session=True,
        )

    def write(self, frame: np.ndarray) -> None:
        """Appends a frame, [H, W, 3] uint8 RGB.

        Raises:
          OSError: the program ended; its last line says why.
        """
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            raise OSError(self._reason()) from None

    def finish(self) -> None:
        """Completes the file.

        Raises:
          OSError: the program failed (a full disk); its last line says why.
        """
        try:
            self._process.stdin.close()
            code = self._process.wait(_ENDS_WITHIN)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            code = -1
        if code:
            reason = self._reason()
            self.abandon()
            raise OSError(reason)
        self._messages.close()

    def abandon(self) -> None:
        """Ends the program; what it wrote is not complete."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # of what was not yet sent
            self._process.stdin.close()
        self._messages.close()

    def _reason(self) -> str:
        self._messages.seek(0)
        lines = self._messages.read().decode(errors='replace').strip().splitlines()
        return lines[-1] if lines else 'ffmpeg ended (disk full?)'
