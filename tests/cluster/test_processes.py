"""Ray's processes are found by the session they belong to."""

from pathlib import Path

from farm_ray.cluster import processes as cluster_processes


def test_processes_of_a_session_are_recognised_by_their_open_files(tmp_path):
    for process, target in {
        "11": "session_2026-01-02_03-04-05_678_77/logs/a.out",
        "12": "session_1-1_1-1_1_770/x",
    }.items():
        (tmp_path / process / "fd").mkdir(parents=True)
        (tmp_path / process / "fd" / "1").symlink_to(Path("/tmp/ray") / target)
    assert cluster_processes.started_by(77, tmp_path) == [11]
