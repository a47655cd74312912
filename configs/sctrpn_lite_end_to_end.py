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
    augment.search_zoom, augment.search_scale, augment.search_shift, augment.blur = 0.3, 0.12, 32.0, 0.1
    augment.gray, augment.low_resolution = 0.15, 0.2
    # What the score is worth: more foreign targets, and negatives not averaged apart, which would drown the few hard
    # ones in the many easy ones; less weight on the boxes, whose loss was five times the scores' (docs/experiments.md).
    config.data.negative_share, config.loss.balanced, config.loss.xi = 0.25, False, 0.5
    train = config.train
    train.start_from, train.running_norms = 'runs/lite', True
    train.pairs_per_epoch, train.epochs, train.final_epochs = 1600, 30, 30.0
    train.rate, train.final_rate = 5e-4, 1e-5
    train.train_layers, train.validate_every = (1, 2, 3, 4, 5), 350
    config.seed = 1
    return config
