"""Tasks of saved folders, FARM's among them."""

from farm_ray.tasks.saved import loaded_task


def test_saved_tasks_of_farm_keep_their_values():
    """The mean and scale of a regression stand where others have labels."""
    fields = {"label_list": [4.75, 0.433], "metric": "mse", "label_tensor_name": "regression_label_ids", "extra": 1}
    task = loaded_task("regression", {**fields, "task_type": "regression"})
    assert task["label_list"] == [4.75, 0.433]
    assert task["label_tensor_name"] == "regression_label_ids"
    assert "extra" not in task
