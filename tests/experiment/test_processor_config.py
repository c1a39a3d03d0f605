"""Which processor an experiment names: chosen by `kind`, with the fields of that kind alone."""

import pytest

from farm_ray.configuration import build, to_yaml
from farm_ray.data_handler.processor.ner import NERProcessorConfig
from farm_ray.errors import ConfigError
from farm_ray.experiment import Experiment
from farm_ray.experiment.processor_config import DEFAULT_KIND, PROCESSORS_OF_TASKS
from farm_ray.yaml_text import parse_yaml


def processor(**fields):
    return build(Experiment, {"name": "x", "processor": fields}).processor


@pytest.mark.parametrize("kind", PROCESSORS_OF_TASKS)
def test_the_kind_is_the_class_of_the_configuration(kind):
    made = processor(kind=kind, max_seq_len=7)
    assert type(made) is PROCESSORS_OF_TASKS[kind]
    assert (made.kind, made.max_seq_len) == (kind, 7)


def test_without_a_kind_texts_are_classified():
    assert processor(max_seq_len=7).kind == DEFAULT_KIND


def test_all_fields_of_the_kind_are_written_and_read_back():
    whole = build(Experiment, {"name": "x", "processor": {"kind": "NERProcessor", "window_overlap": 3}})
    assert isinstance(whole.processor, NERProcessorConfig)
    assert build(Experiment, parse_yaml(to_yaml(whole))) == whole


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "NERProcesor"}, "NERProcesor"),
        ({"kind": "RegressionProcessor", "multilabel": True}, "multilabel"),
        ({"window_overlap": 3}, "window_overlap"),
    ],
)
def test_other_kinds_and_fields_of_another_kind_are_refused(fields, told):
    with pytest.raises(ConfigError, match=told) as caught:
        processor(**fields)
    assert "\n" not in str(caught.value)
