"""Response maps over the search crop, stage beside stage (Fig. 4), and the distance of their peaks as a number."""

import os

import cv2
import numpy as np

from sctrpn_jax.geometry import grid
from sctrpn_jax.system import files
from sctrpn_jax.visualization import overlay

_GAP = 4  # pixels between panels
_CAPTION = 20  # height of the line below a panel, pixels
_OPACITY = 0.65  # of the map over the crop
_INK, _PAPER = (0, 0, 0), 255


def peak(response: np.ndarray, crop_size: int, stride: int = grid.STRIDE) -> np.ndarray:
    """Where a response map is highest (the first such cell in row order).

    Args:
      response: [n, n], cell (i, j) centred at ((j, i) - (n - 1) / 2) * stride + crop_size / 2.
      crop_size: side of the search crop, pixels.
      stride: cell pitch, pixels.

    Returns:
      [2] (x, y) of that cell's centre, crop pixels.
    """
    row, column = np.unravel_index(int(np.argmax(response)), response.shape)
    cells = np.array([column, row]) - (np.array(response.shape[::-1]) - 1) / 2
    return cells * stride + crop_size / 2


def peak_distances(responses: np.ndarray, crop_size: int, target: np.ndarray | None = None, stride: int = grid.STRIDE):
    """Distance from each stage's peak to the target's centre.

    Args:
      responses: [L, n, n].
      crop_size: side of the search crop, pixels.
      target: [2] (x, y) crop pixels; None: the crop's centre.
      stride: cell pitch, pixels.

    Returns:
      [L] float64, crop pixels.
    """
    target = np.full(2, crop_size / 2) if target is None else np.asarray(target)
    return np.array([np.linalg.norm(peak(response, crop_size, stride) - target) for response in responses])


def upsample(response: np.ndarray, crop_size: int, stride: int = grid.STRIDE) -> np.ndarray:
    """A response map at every pixel of the crop, bilinear between cell centres.

    Args:
      response: [n, n].
      crop_size: side of the search crop, pixels.
      stride: cell pitch, pixels.

    Returns:
      [S, S] float64; NaN beyond the cells, which cover n * stride pixels in the middle.
    """
    count = response.shape[0]
    cells = (np.arange(crop_size) + 0.5 - crop_size / 2) / stride + (count - 1) / 2
    rows = np.stack([np.interp(cells, np.arange(count), line) for line in response])
    full = np.stack([np.interp(cells, np.arange(count), line) for line in rows.T]).T
    outside = (cells < -0.5) | (cells > count - 0.5)
    full[outside] = np.nan
    full[:, outside] = np.nan
    return full


def response_figure(
    crop: np.ndarray,
    responses: np.ndarray,
    box: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    stride: int = grid.STRIDE,
    labels: list[str] | None = None,
) -> np.ndarray:
    """Fig. 4: the search crop, then each stage's map over it, its peak as a red spot, a caption below.

    Each map runs from its own lowest (dark) to its own highest value (bright); the caption says the highest. The
    distance in the caption is to the centre of `truth` where given, else to the crop's centre; a white cross marks it.

    Args:
      crop: [S, S, 3] uint8 (or float 0..255) RGB.
      responses: [L, n, n], 0..1.
      box: [4] xywh crop pixels, the predicted box, on the first panel.
      truth: [4] xywh crop pixels, dashed, on the first panel.
      stride: cell pitch, pixels.
      labels: one per map; `stage 1` and so on by default.

    Returns:
      [S + 20, (L + 1) S + 4 L, 3] uint8 RGB.

    Raises:
      ValueError: a crop that is not square, maps that are not [L, n, n], or a wrong number of labels.
    """
    crop = np.clip(np.rint(crop), 0, 255).astype(np.uint8)
    responses = np.asarray(responses)
    if crop.ndim != 3 or crop.shape[0] != crop.shape[1] or crop.shape[2] != 3:
        raise ValueError(f'got a crop of shape {crop.shape}, expected [S, S, 3]')
    if responses.ndim != 3 or responses.shape[1] != responses.shape[2]:
        raise ValueError(f'got response maps of shape {responses.shape}, expected [L, n, n]')
    labels = [f'stage {i + 1}' for i in range(len(responses))] if labels is None else labels
    if len(labels) != len(responses):
        raise ValueError(f'got {len(labels)} labels for {len(responses)} response maps')
    size = crop.shape[0]
    target = np.full(2, size / 2) if truth is None else np.asarray(truth[:2]) + np.asarray(truth[2:]) / 2
    distances = peak_distances(responses, size, target, stride)
    panels = [_panel(overlay.draw(crop, box, truth=truth), 'search crop')]
    for response, label, distance in zip(responses, labels, distances, strict=True):
        picture = _heat(crop, upsample(response, size, stride))
        cv2.drawMarker(picture, _pixel(target), (255, 255, 255), cv2.MARKER_CROSS, 9, 1)
        at = _pixel(peak(response, size, stride))
        cv2.circle(picture, at, 5, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, at, 4, (220, 0, 0), cv2.FILLED, cv2.LINE_AA)
        panels.append(_panel(picture, f'{label}: max {response.max():.2f}, {distance:.0f} px off'))
    gap = np.full((size + _CAPTION, _GAP, 3), _PAPER, np.uint8)
    return np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis=1)


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Writes [H, W, 3] uint8 RGB as a PNG, whole or not at all; makes the folder.

    Raises:
      OSError: it cannot be written.
    """
    data = cv2.imencode('.png', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    with files.replacing(path) as partial:
        partial.write_bytes(data.tobytes())


def _heat(crop: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The crop in grey under the map in viridis, which rises evenly in lightness; NaN shows the crop alone."""
    inside = ~np.isnan(values)
    low, high = np.nanmin(values), np.nanmax(values)
    level = np.where(inside, (values - low) / max(high - low, 1e-12), 0)
    colors = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    colors = cv2.cvtColor(colors, cv2.COLOR_BGR2RGB).astype(np.float64)
    grey = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.float64)
    opacity = _OPACITY * inside[..., None]
    return np.rint(opacity * colors + (1 - opacity) * grey).astype(np.uint8)


def _panel(picture: np.ndarray, caption: str) -> np.ndarray:
    strip = np.full((_CAPTION, picture.shape[1], 3), _PAPER, np.uint8)
    overlay.put_text(strip, caption, (2, _CAPTION - 6), _INK, 0.4)
    return np.concatenate([picture, strip], axis=0)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    """The pixel that holds a point: pixel i covers [i, i + 1)."""
    return int(np.floor(point[0])), int(np.floor(point[1]))
