"""The schema of processor_config.json."""

import json

import pytest

from farm_ray.data_handler.processor import Processor, TextClassificationProcessor
from farm_ray.errors import ModelFolderError
from tests.raised import raised


@pytest.mark.parametrize("text", ["{", '["a"]', '{"max_seq_len": 3}'])
def test_broken_configuration(text, tmp_path):
    (tmp_path / "processor_config.json").write_text(text)
    with pytest.raises(ModelFolderError, match=r"processor_config\.json .*copy the model folder again"):
        Processor.load_from_dir(tmp_path)


@pytest.mark.parametrize("name", ["data_dir", "max_seq_len"])
def test_a_configuration_without_an_argument_that_must_be_given(tokenizer, tmp_path, name):
    given = {"label_list": ["a", "b"], "metric": "acc", "text_column_name": "text"}
    TextClassificationProcessor(tokenizer, 16, None, **given).save(tmp_path)
    path = tmp_path / "processor_config.json"
    settings = json.loads(path.read_text())
    del settings[name]
    path.write_text(json.dumps(settings))
    with raised(ModelFolderError, "missing-entry", entry=name, file="processor_config.json"):
        Processor.load_from_dir(tmp_path)
