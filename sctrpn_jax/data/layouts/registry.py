"""Every dataset that can be prepared, by name."""

import importlib

from sctrpn_jax.data.layouts import clip

# Module and class; imported when asked for, since a run needs one of them.
LAYOUTS = {
    'coco': ('coco', 'COCO'),
    'davis': ('davis', 'Davis'),
    'folder': ('folder', 'Folder'),
    'got10k': ('got10k', 'Got10k'),
    'imagenet_det': ('imagenet', 'ImageNetDET'),
    'imagenet_vid': ('imagenet', 'ImageNetVID'),
    'lasot': ('lasot', 'Lasot'),
    'nfs': ('nfs', 'Nfs'),
    'otb2015': ('otb', 'Otb'),
    'tcolor128': ('tcolor128', 'TColor128'),
    'trackingnet': ('trackingnet', 'TrackingNet'),
    'uav123': ('uav123', 'Uav123'),
    'vot2018': ('vot', 'Vot'),
    'youtube_bb': ('youtube_bb', 'YouTubeBB'),
}


def layout(name: str) -> type[clip.Layout]:
    """The layout of a dataset.

    Raises:
      ValueError: an unknown name; the message has the known ones.
    """
    if name not in LAYOUTS:
        raise ValueError(f'dataset {name!r} is not known; accepted are {", ".join(LAYOUTS)}')
    module, kind = LAYOUTS[name]
    return getattr(importlib.import_module(f'sctrpn_jax.data.layouts.{module}'), kind)
