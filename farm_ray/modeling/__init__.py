"""Batches -> model -> predictions: language models, prediction heads, optimization; tokenization needs no torch."""
