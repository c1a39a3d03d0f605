"""FARM's stopwatch."""

from farm_ray import utils


def test_seconds_before_and_in_the_model(monkeypatch):
    watch, clock = utils.Benchmarker(), iter([1.0, 1.5, 4.0])
    monkeypatch.setattr("farm_ray.compat.benchmarker.time.perf_counter", lambda: next(clock))
    assert watch.summary() == (0.0, 0.0)
    for name in ("start", "dataset_single_proc", "formatted_preds"):
        watch.record(name)
    assert watch.summary() == (0.5, 2.5)
    watch.reset()
    assert watch.summary() == (0.0, 0.0)
