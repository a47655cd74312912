"""Second part of the lite network's training: every layer end to end, on crops and norms much as in tracking.

    bin/train --config configs/sctrpn_lite_end_to_end.py --workdir runs/lite_end_to_end --config.data.root=DIR

Goes on from the run of `configs/sctrpn_lite.py` (`--config.train.start_from=FOLDER` for another).
"""

import pathlib
import runpy

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """What is not set here is as in `sctrpn_lite.py`."""
    config = runpy.run_path(str(pathlib.Path(__file__).with_name('sctrpn_lite.py')))['get_config']()
    augment = config.augment
    augment.search_zoom, augment.search_scale, augment.search_shift, augment.blur = 0.2, 0.12, 24.0, 0.1
    train = config.train
    train.start_from, train.running_norms = 'runs/lite', True
    train.pairs_per_epoch, train.epochs, train.final_epochs = 1600, 7, 7.0
    train.rate, train.final_rate = 2e-4, 1e-5
    train.train_layers, train.validate_every = (1, 2, 3, 4, 5), 350
    config.seed = 1
    return config
