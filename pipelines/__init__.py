"""Runs to take as they are or to copy: each module has functions that return one Experiment."""
