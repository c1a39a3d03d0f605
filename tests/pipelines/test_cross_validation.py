"""pipelines.cross_validation: what a fold trains on."""

from farm_ray.experiment import load_experiment


def test_cross_validation_trains_on_all_that_is_not_tested():
    processor = load_experiment("pipelines.cross_validation").processor
    assert (processor.dev_split, processor.dev_filename) == (0.0, None)
