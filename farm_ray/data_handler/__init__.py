"""From files to batches: file, dict, sample, feature, batch."""
