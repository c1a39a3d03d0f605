"""What an evaluation gives."""

from __future__ import annotations

from typing import Any

HeadResult = dict[str, Any]
"""Of one head: `task_name`, `loss`, a number per metric, `report` in words; `preds` and `labels` where asked for."""
