"""The processors that those of `tests/data_handler/processor` are made of."""

from tests.data_handler.processor.conftest import make, tokenizer

__all__ = ["make", "tokenizer"]
