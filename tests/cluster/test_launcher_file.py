"""The launcher's cluster.yaml."""

import copy
from pathlib import Path

import pytest
import yaml

from jobs import train
from jobs.experiment_flags import experiment_from

CLUSTER_YAML = Path(__file__).parents[2] / "cluster.yaml"


def launcher_config():
    return yaml.safe_load(CLUSTER_YAML.read_text(encoding="utf-8"))


def validated(config):
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    return prepared


def test_cluster_yaml_fits_rays_schema():
    prepared = validated(launcher_config())
    commands = " ".join(prepared["head_start_ray_commands"] + prepared["setup_commands"])
    assert "0.0.0.0" not in commands
    assert "ray-wheels" not in commands


def test_cluster_yaml_has_what_the_readme_promises():
    config = launcher_config()
    worker = config["available_node_types"]["gpu_worker"]
    assert config["provider"]["region"]
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= config["max_workers"]
    assert worker["resources"]["GPU"] == 1
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "GPU" not in config["available_node_types"][config["head_node_type"]]["resources"]
    assert any("pip install" in command for command in config["setup_commands"])


def test_every_machine_of_cluster_yaml_reaches_what_its_example_names():
    """Folders that nothing mounts are the head's; the rest is s3://, to which each machine has a profile of its own."""
    config = launcher_config()
    kinds = config["available_node_types"]
    profiles = {name: kind["node_config"]["IamInstanceProfile"]["Name"] for name, kind in kinds.items()}
    assert len(set(profiles.values())) == len(kinds)
    head, text = config["head_node_type"], CLUSTER_YAML.read_text()
    assert all(name in text.partition("cluster_name")[0] for name in profiles.values())
    assert "IamInstanceProfile" in validated(config)["available_node_types"][head]["node_config"]
    command = " ".join(line.lstrip("# ").rstrip("\\") for line in text.splitlines() if line.startswith("#"))
    words = command[command.index("python -m jobs.train") : command.index("ray rsync-down")].split()[3:]
    arguments = train.make_parser().parse_args(words)
    assert arguments.output_dir.startswith(f"/home/{config['auth']['ssh_user']}/")
    assert arguments.data_dir.startswith("s3://")
    assert experiment_from(arguments).train.checkpoint_root_dir.startswith("s3://")


@pytest.mark.parametrize("key", ["provider", "head_node_type"])
def test_the_schema_check_can_fail(key):
    config = launcher_config()
    del config[key]
    with pytest.raises(Exception, match=r"."):
        validated(config)


def test_the_schema_check_finds_a_typo():
    config = launcher_config()
    config["idle_timeout_minute"] = 5
    with pytest.raises(Exception, match="idle_timeout_minute"):
        validated(config)
