"""Stage 2: labels become ids, texts are checked. Plain functions from table to table, without state."""
