"""pipelines.lm_from_scratch: both sizes are sound, and the small one is the large one but for its size."""

import pytest

from farm_ray.configuration import replace
from farm_ray.experiment import assemble, load_experiment


@pytest.mark.parametrize("name", ["pipelines.lm_from_scratch", "pipelines.lm_from_scratch:small"])
def test_the_experiment_passes_the_checks(name, tmp_path):
    (tmp_path / "train.txt").write_text("a film\n\na fool\n")
    (tmp_path / "dev.txt").write_text("a film\n\na fool\n")
    assemble.check_experiment(replace(load_experiment(name), "processor.data_dir", str(tmp_path)))


def test_the_small_one_differs_in_size_only():
    large, small = (load_experiment(f"pipelines.lm_from_scratch{name}") for name in ("", ":small"))
    assert small.name != large.name
    assert (small.processor, small.data.streaming) == (large.processor, large.data.streaming)
    scratch = small.model.from_scratch
    assert scratch.model_type == large.model.from_scratch.model_type
    assert scratch.tokenizer.kind == large.model.from_scratch.tokenizer.kind
    assert scratch.settings["hidden_size"] % scratch.settings["num_attention_heads"] == 0
    assert small.train == large.train.model_copy(update={"learning_rate": small.train.learning_rate})
