"""What use_amp means on which device; the processor's abilities are set by the test."""

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.optimization import precision
from farm_ray.modeling.optimization.precision import Precision, check_use_amp
from tests.raised import raised


def cpu(monkeypatch, hardware):
    monkeypatch.setattr(precision, "bfloat16_in_hardware", lambda: hardware)


def gpu(monkeypatch, bf16):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation)


@pytest.mark.parametrize("hardware", [True, False])
@pytest.mark.parametrize("use_amp", [None, "O0", "fp32"])
@pytest.mark.filterwarnings("error")
def test_float32(monkeypatch, use_amp, hardware):
    cpu(monkeypatch, hardware)
    found = Precision.resolve(use_amp, "cpu")
    assert (found.name, found.dtype, found.scaler.is_enabled()) == ("fp32", torch.float32, False)


@pytest.mark.parametrize(
    ("use_amp", "hardware", "name"),
    [("auto", True, "bf16"), ("auto", False, "fp32"), ("bf16", True, "bf16"), ("O1", True, "bf16")],
)
@pytest.mark.filterwarnings("error")
def test_on_a_cpu(monkeypatch, use_amp, hardware, name):
    cpu(monkeypatch, hardware)
    assert Precision.resolve(use_amp, torch.device("cpu")).name == name


@pytest.mark.parametrize(
    ("use_amp", "name", "reason"), [("bf16", "bf16", "only emulates bfloat16"), ("O1", "fp32", "float32 is used")]
)
def test_a_cpu_without_bfloat16_warns(monkeypatch, use_amp, name, reason):
    cpu(monkeypatch, hardware=False)
    with pytest.warns(UserWarning, match=reason):
        assert Precision.resolve(use_amp, "cpu").name == name


@pytest.mark.parametrize(
    ("use_amp", "bf16", "name"),
    [
        (None, True, "fp32"),
        ("auto", True, "bf16"),
        ("auto", False, "fp16"),
        ("O1", True, "fp16"),
        ("fp16", False, "fp16"),
        ("bf16", True, "bf16"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*CUDA is not available")
def test_on_a_gpu(monkeypatch, use_amp, bf16, name):
    gpu(monkeypatch, bf16)
    asked = {}

    class Scaler:
        def __init__(self, device, enabled):
            asked.update(device=device, enabled=enabled)

    monkeypatch.setattr(torch.amp, "GradScaler", Scaler)
    found = Precision.resolve(use_amp, "cuda:1")
    assert (found.name, found.device_type) == (name, "cuda")
    assert asked == {"device": "cuda", "enabled": name == "fp16"}


def test_a_gpu_without_bfloat16_warns(monkeypatch):
    gpu(monkeypatch, bf16=False)
    with pytest.warns(UserWarning, match="only emulates"):
        assert Precision.resolve("bf16", "cuda").name == "bf16"


@pytest.mark.parametrize("level", ["O2", "o3"])
def test_apex_levels_mean_o1_with_one_warning(monkeypatch, level):
    cpu(monkeypatch, hardware=True)
    with pytest.warns(UserWarning, match='now means "O1"') as caught:
        assert Precision.resolve(level, "cpu").name == "bf16"
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("use_amp", "device", "message"),
    [
        ("fp16", "cpu", 'needs a GPU; on a CPU use "bf16"'),
        ("bf61", "cpu", 'did you mean "bf16"'),
        ("O4", "cpu", "O4"),
        (True, "cpu", 'use_amp="True" is unknown'),
        ("bf16", "mps", "not on mps"),
    ],
)
def test_mistakes_are_named(use_amp, device, message):
    with pytest.raises(ConfigError, match=message):
        Precision.resolve(use_amp, device)


def test_autocast_sets_the_format_of_products_only_and_float32_switches_it_off(monkeypatch):
    cpu(monkeypatch, hardware=True)
    x = torch.ones(2, 2)
    with Precision.resolve("bf16", "cpu").autocast():
        assert (x @ x).dtype == torch.bfloat16
        with Precision.resolve(None, "cpu").autocast():
            assert (x @ x).dtype == torch.float32
    assert (x @ x).dtype == torch.float32


def test_the_disabled_scaler_passes_everything_through():
    param = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([param], lr=0.5)
    scaler = Precision.resolve(None, "cpu").scaler
    scaler.scale((param * 2).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert (param.item(), scaler.state_dict()) == (0.0, {})


def test_hardware_is_read_from_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True, "amx_bf16": True})
    assert precision.bfloat16_in_hardware()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True, "avx512_bf16": False})
    assert not precision.bfloat16_in_hardware()
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    monkeypatch.setattr(precision, "Path", lambda name: tmp_path / name.rpartition("/")[2])
    assert not precision.bfloat16_in_hardware()
    (tmp_path / "cpuinfo").write_text("flags : fpu avx512_bf16 sse\n")
    assert precision.bfloat16_in_hardware()


@pytest.mark.filterwarnings("error")
def test_checked_without_the_device_and_without_advice(monkeypatch):
    cpu(monkeypatch, hardware=False)
    for use_amp in (None, "auto", "O1", "O2", "bf16"):
        check_use_amp(use_amp, "cpu")
        check_use_amp(use_amp, "cuda")
    check_use_amp("fp16", "cuda")
    with raised(ConfigError, "precision-not-for-device"):
        check_use_amp("fp16", "cpu")
    with pytest.raises(ConfigError, match='did you mean "bf16"'):
        check_use_amp("bf61", "cuda")
