import logging

import pytest

from farm_ray import overrides
from farm_ray.data_handler.processor import Processor, TextClassificationProcessor
from farm_ray.errors import ConfigError


class Mine(TextClassificationProcessor):
    @staticmethod
    def log_problematic(problematic_sample_ids):
        pass


def test_what_is_the_users_own():
    assert overrides.own_among(Mine, ["convert_labels", "log_problematic", "no_such"]) == ("log_problematic",)
    assert not overrides.is_own(Processor, "convert_labels")


def test_a_method_that_is_never_called_is_refused():
    with pytest.raises(ConfigError, match=r"Mine\.log_problematic would never be called: read the log$"):
        overrides.refuse_uncalled(Mine, {"log_problematic": "read the log"})
    overrides.refuse_uncalled(TextClassificationProcessor, {"log_problematic": "read the log"})


def test_a_method_gets_the_arguments_it_takes():
    assert overrides.call(lambda anything: anything, dictionary=1, number=2) == 1
    assert overrides.call(lambda d, number=0: (d, number), dictionary=1, number=2, more=3) == (1, 2)
    assert overrides.call(lambda d, **rest: (d, rest), dictionary=1, number=2) == (1, {"number": 2})


def test_reported_once(caplog):
    overrides.report_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        overrides.report_once("slow")
        overrides.report_once("slow")
    assert [record.getMessage() for record in caplog.records] == ["slow"]
