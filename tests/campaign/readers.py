"""Every reader of the project that takes files from elsewhere, by name."""

import read_data
import read_results
import read_weights

READERS = read_weights.READERS | read_data.READERS | read_results.READERS
