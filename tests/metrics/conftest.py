"""Boxes of which the toolkits' scores are known."""

import numpy as np
import pytest


@pytest.fixture
def closed_form():
    """Predicted and true boxes [200, 4] of which the toolkits' scores are known."""
    i = np.arange(200)
    truth = np.stack(
        [100 + 40 * np.sin(i / 17), 80 + 30 * np.cos(i / 23), 40 + 8 * np.sin(i / 31), 30 + 6 * np.cos(i / 29)], axis=1
    )
    noise = [6 * np.sin(i / 5), 5 * np.cos(i / 7), 4 * np.sin(i / 11), -3 * np.cos(i / 13)]
    predicted = truth + np.stack(noise, axis=1)
    predicted[150:170, 0] += 60
    truth, predicted = truth.round(), predicted.round(3)
    predicted[0] = truth[0]
    return predicted, truth
