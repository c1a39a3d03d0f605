"""What feeds the training loop of one rank: its share of every step, from rows in memory or from a stream."""
