"""Places in a run."""

from farm_ray.data_handler.order import LanePosition, Position


def test_a_position_comes_back_from_json():
    position = Position(epoch=1, step=2, lanes=(LanePosition(place=3, window=4, began=5), LanePosition()))
    stored = {"epoch": 1, "step": 2, "lanes": [{"place": 3, "window": 4, "began": 5}, {}]}
    assert Position.from_json(stored) == position
    assert Position.from_json({"epoch": 1, "step": 2}) == Position(epoch=1, step=2)
