"""A processor whose data tasks take long enough to be killed in their middle."""

import time

from farm_ray.data_handler.processor import TextClassificationProcessor

_SECONDS_PER_TABLE = 1.0


class SlowTexts(TextClassificationProcessor):
    """As its base, with a pause for each table."""

    def samples_to_features(self, samples):
        time.sleep(_SECONDS_PER_TABLE)
        return super().samples_to_features(samples)
