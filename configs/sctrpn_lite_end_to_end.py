"""Second part of the lite network's training: every layer end to end, over a wider range of scales.

    bin/train --config configs/sctrpn_lite_end_to_end.py --workdir runs/lite_end_to_end --config.data.root=DIR

Goes on from the run of `configs/sctrpn_lite.py` (`--config.train.start_from=FOLDER` for another).
"""

import pathlib
import runpy

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """What is not set here is as in `sctrpn_lite.py`."""
    config = runpy.run_path(str(pathlib.Path(__file__).with_name('sctrpn_lite.py')))['get_config']()
    config.augment.search_scale = 0.25
    train = config.train
    train.start_from = 'runs/lite'
    train.pairs_per_epoch, train.epochs, train.final_epochs = 1600, 14, 14.0
    train.rate = train.warmup_rate = 4e-4
    train.train_layers, train.validate_every = (1, 2, 3, 4, 5), 700
    config.seed = 1
    return config
