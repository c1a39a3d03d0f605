"""FARM's methods on single rows: what subclasses of its processors override, call or inherit.

farm_ray makes features of whole tables and calls these only where a subclass overrides one, see `own_features`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from farm_ray.compat.input_features import sample_to_features_text
from farm_ray.compat.samples import Sample, SampleBasket
from farm_ray.data_handler.processor.dicts import external_id
from farm_ray.errors import DataProblemError
from farm_ray.modeling.tokenization import tokenize_with_metadata
from farm_ray.overrides import call, is_own

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from farm_ray.data_handler.given_rows import Row, RowDict
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.tasks.task import Task

logger = logging.getLogger(__name__)


class SampleMethods:
    """A dict becomes samples, a sample becomes features, features become a torch data set."""

    baskets: list[SampleBasket]
    """While a subclass makes features: the rows in work."""
    tokenizer: TokenizerLike
    max_seq_len: int
    tasks: dict[str, Task]
    inference: bool

    def dataset_from_dicts(
        self,
        dicts: Sequence[RowDict],
        indices: Sequence[int] | None = None,
        return_baskets: bool = False,
        debug: bool = False,
    ) -> tuple[object, ...]:
        """Dicts as a torch data set, every row padded to `max_seq_len`; for a few dicts and for own loops.

        Args:
            dicts: One dict per row.
            indices: The rows' numbers in the whole data; 0, 1, ... by default.
            return_baskets: Return the rows' baskets too; this means inference: labels are not converted.
            debug: Keep the tokens in the samples of the baskets.

        Returns:
            A TensorDataset, its tensor names, the set of indices of rows with a problem (which are left out), and
            with `return_baskets` the list of baskets. The first two are None when no row is left.
        """
        from farm_ray.compat.tensors import dataset_from_dicts

        processor: Any = self
        return dataset_from_dicts(processor, dicts, indices, return_baskets=return_baskets, debug=debug)

    def sample_details(self, text: str) -> list[dict[str, object]]:  # noqa: ARG002 - for subclasses that have some
        """What samples of a text keep besides their tokens, one dict per feature row of the text; [] for nothing."""
        return []

    @staticmethod
    def log_problematic(problematic_sample_ids: Collection[object]) -> None:
        """Logs which rows have a problem, if any."""
        if problematic_sample_ids:
            shown = ", ".join(map(str, list(problematic_sample_ids)[:20]))
            logger.error("%d rows have a problem: %s", len(problematic_sample_ids), shown)

    def convert_labels(self, dictionary: RowDict) -> dict[str, list[Any]]:
        """See `Processor.convert_labels`."""
        raise NotImplementedError

    def _dict_to_samples(self, dictionary: RowDict, **_: object) -> list[Sample]:
        """The samples of one dict; here one, with the dict as its clear text and the tokens of a single text."""
        text = dictionary.get("text")
        if not isinstance(text, str):
            return [Sample(id=None, clear_text=dictionary)]
        room = self.max_seq_len - self.tokenizer.num_special_tokens_to_add(pair=False)
        tokenized = tokenize_with_metadata(text, self.tokenizer)
        cut = {
            "tokens": tokenized["tokens"][:room],
            "offsets": tokenized["offsets"][:room],
            "start_of_word": tokenized["start_of_word"][:room],
        }
        return [Sample(id=None, clear_text=dictionary, tokenized=cut)]

    def _sample_to_features(self, sample: Sample) -> list[RowDict]:
        """The features of one sample, each list padded to `max_seq_len`; here token ids of its text, and its labels."""
        own_labels = is_own(type(self), "convert_labels")
        tasks: Row = {} if self.inference or own_labels else self.tasks
        features = sample_to_features_text(sample, tasks, self.max_seq_len, self.tokenizer)
        if own_labels and not self.inference:
            features[0].update(self.convert_labels(sample.clear_text))
        return features

    def _dict_to_samples_and_features(self, dictionary: RowDict, **_: object) -> list[Sample]:
        """Both in one: the samples of one dict with their features."""
        samples = _listed(self._dict_to_samples_of(dictionary), Sample, "_dict_to_samples", "a list of Sample")
        for sample in samples:
            sample.features = _listed(self._sample_to_features(sample), dict, "_sample_to_features", "a list of dicts")
        return samples

    def _dict_to_samples_of(self, dictionary: RowDict) -> Any:
        return call(self._dict_to_samples, dictionary=dictionary)

    def _init_samples_in_baskets(self) -> None:
        """Gives each basket its samples."""
        for basket in self.baskets:
            made = self._dict_to_samples_of(basket.raw)
            basket.samples = _listed(made, Sample, "_dict_to_samples", "a list of Sample")
            for number, sample in enumerate(basket.samples):
                sample.id = f"{basket.id_internal}-{number}"

    def _featurize_samples(self) -> None:
        """Gives each sample its features."""
        for basket in self.baskets:
            for sample in basket.samples or []:
                made = self._sample_to_features(sample)
                sample.features = _listed(made, dict, "_sample_to_features", "a list of dicts")

    def _init_and_featurize_samples_in_baskets(self) -> None:
        """Gives each basket its samples with their features."""
        if not is_own(type(self), "_dict_to_samples_and_features"):
            self._init_samples_in_baskets()
            self._featurize_samples()
            return
        for basket in self.baskets:
            made = call(
                self._dict_to_samples_and_features, dictionary=basket.raw, basket_id_internal=basket.id_internal
            )
            basket.samples = _listed(made, Sample, "_dict_to_samples_and_features", "a list of Sample")

    def _check_sample_features(self, basket: SampleBasket) -> bool:
        """Whether all samples of a basket have features."""
        return bool(basket.samples) and all(sample.features for sample in basket.samples or [])

    def _create_dataset(self) -> tuple[object, object]:
        """The features of all baskets as a torch data set, and their names."""
        from farm_ray.compat.dataset import convert_features_to_dataset

        whole = [basket for basket in self.baskets if self._check_sample_features(basket)]
        return convert_features_to_dataset(
            [features for basket in whole for sample in basket.samples or [] for features in sample.features or []]
        )

    def _id_from_dict(self, d: Mapping[str, object]) -> str | None:
        """The id that a dict brings along."""
        return external_id(d)

    def _log_samples(self, n_samples: int, baskets: Sequence[SampleBasket] | None = None) -> None:
        """Logs the first samples."""
        samples = [sample for basket in baskets or self.baskets for sample in basket.samples or []]
        for sample in samples[:n_samples]:
            logger.info("%s", sample)


def _listed(made: object, kind: type, method: str, wanted: str) -> list[Any]:
    """What a user's method returned, a single one in a list."""
    listed = [made] if isinstance(made, kind) else made
    if not isinstance(listed, list | tuple) or not all(isinstance(one, kind) for one in listed):
        found = type(made).__name__
        if isinstance(made, list | tuple):
            found = "a list of " + ", ".join(sorted({type(one).__name__ for one in made}))
        raise DataProblemError(f"{method} must return {wanted}, not {found}", code="wrong-result", value=method)
    return list(listed)
