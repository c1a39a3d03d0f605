"""Programs to run: `python -m jobs.train`, or the same through `ray job submit`."""
