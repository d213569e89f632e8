"""Adam on float64 masters: the paper's rates are below the resolution of float32 weights."""

import functools

import pytest
import torch
from torch import Tensor, nn

from trainer.distillation.branches import trained_names
from trainer.net import build_network
from trainer.recipes.recipe import load_recipe, recipe_names
from trainer.recipes.row import resolve_row
from trainer.recipes.settings import configure
from trainer.train.master_adam import MasterAdam

GROUPS = {"tcl": ["0.weight", "0.bias"], "bbe": ["1.weight"]}
RATES = {"tcl": 2e-8, "bbe": 1e-7}
STEPS = 3


def network() -> nn.Sequential:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(0.6, 3).mul_(torch.randn_like(parameter).sign())
    return net


def loss_of(net: nn.Module, step: int) -> Tensor:
    """A loss whose gradient is a fixed random sign with noise, for every trained tensor."""
    fixed, noise = torch.Generator().manual_seed(1), torch.Generator().manual_seed(step)
    total = torch.zeros(())
    for parameter in net.parameters():
        direction = (
            torch.randn(parameter.shape, generator=fixed).sign() + torch.randn(parameter.shape, generator=noise) / 2
        )
        if parameter.requires_grad:
            total = total + (parameter * direction).sum()
    return total


@pytest.mark.parametrize("scale", [1.0, 1 / 8])
def test_a_hundred_steps_at_the_papers_rates_move_every_master(scale: float) -> None:
    net = network()
    optimizer = MasterAdam(net, GROUPS, RATES)
    optimizer.set_scale(scale)
    before = {name: master.detach().clone() for name, master in optimizer.masters.items()}
    for step in range(100):
        optimizer.step(loss_of(net, step))
    for module, names in GROUPS.items():
        for name in names:
            moved = (optimizer.masters[name].detach() - before[name]).abs()
            assert (moved > 50 * RATES[module] * scale).all()
            assert moved.max() <= 101 * RATES[module] * scale


def test_float32_alone_would_lose_those_steps() -> None:
    """Why masters are there: the same steps on the weights themselves leave them where they are."""
    net = network()
    plain = torch.optim.Adam(net.parameters(), 2e-8 / 8)
    before = [p.detach().clone() for p in net.parameters()]
    for step in range(100):
        plain.zero_grad()
        loss_of(net, step).backward()
        plain.step()
    assert all(p.detach().equal(b) for p, b in zip(net.parameters(), before))


def test_steps_are_adams_and_what_is_not_named_is_frozen() -> None:
    net, double = network(), network().double()
    frozen = net.get_parameter("1.bias").detach().clone()
    optimizer = MasterAdam(net, GROUPS, {"tcl": 1e-2, "bbe": 1e-3})
    named = dict(double.named_parameters())
    reference = torch.optim.Adam(
        [
            {"params": [named["0.weight"], named["0.bias"]], "lr": 1e-2 / 2},
            {"params": [named["1.weight"]], "lr": 1e-3 / 2},
        ]
    )
    optimizer.set_scale(0.5)
    for step in range(5):
        optimizer.step(loss_of(net, step))
        reference.zero_grad()
        loss_of(double, step).backward()
        reference.step()
    for name, master in optimizer.masters.items():
        torch.testing.assert_close(master.detach(), named[name].detach(), rtol=0, atol=1e-9)
        assert net.get_parameter(name).detach().equal(master.detach().float())
    assert not net.get_parameter("1.bias").requires_grad
    assert net.get_parameter("1.bias").detach().equal(frozen)


def test_a_tensor_without_gradient_stays() -> None:
    net = network()
    optimizer = MasterAdam(net, GROUPS, {"tcl": 1.0, "bbe": 1.0})
    before = optimizer.masters["1.weight"].detach().clone()
    optimizer.step(net.get_parameter("0.weight").sum() + net.get_parameter("0.bias").sum())
    assert optimizer.masters["1.weight"].detach().equal(before)


def test_a_restored_optimizer_goes_on_to_the_same_bits() -> None:
    whole, first = network(), network()
    one, two = (MasterAdam(net, GROUPS, {"tcl": 1e-3, "bbe": 1e-3}) for net in (whole, first))
    for step in range(6):
        one.step(loss_of(whole, step))
    for step in range(3):
        two.step(loss_of(first, step))
    resumed = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
    resumed[1].load_state_dict(first[1].state_dict())
    three = MasterAdam(resumed, GROUPS, {"tcl": 1e-3, "bbe": 1e-3})
    three.load_state_dict(two.state_dict())
    for step in range(3, 6):
        three.step(loss_of(resumed, step))
    for name, value in whole.state_dict().items():
        assert resumed.state_dict()[name].equal(value), name


@functools.cache
def whole_network(tracker: str) -> nn.Module:
    """A base tracker's network, one for all its recipes: a step moves it by less than float32 can tell."""
    return build_network(tracker)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 1 / 8])
@pytest.mark.parametrize("name", [name for name in recipe_names() if load_recipe(name).trains])
def test_steps_move_every_value_of_every_recipe_by_its_rate(name: str, scale: float) -> None:
    """Under a gradient that stays the same, a step of Adam is its rate, whatever the gradient is."""
    recipe = load_recipe(name)
    tracker = "atom" if recipe.base == "atom" else "dimp18"
    net = whole_network(tracker)
    config = configure({"recipe": name, "tracker": tracker, "out": "run"}, ())
    row = resolve_row(config)
    groups = trained_names(net, row, config)
    optimizer = MasterAdam(net, groups, row.rates)
    optimizer.set_scale(scale)
    before = {key: master.detach().clone() for key, master in optimizer.masters.items()}
    assert before.keys() == {key for names in groups.values() for key in names}
    for _ in range(STEPS):
        optimizer.step(torch.stack([p.sum() for p in optimizer.live.values()]).sum())
    for module, names in groups.items():
        assert names
        for key in names:
            low, high = torch.aminmax(before[key] - optimizer.masters[key].detach())
            assert float(low) == pytest.approx(STEPS * row.rates[module] * scale, rel=1e-5), key
            assert float(high) == pytest.approx(STEPS * row.rates[module] * scale, rel=1e-5), key


@pytest.mark.parametrize("weights", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("gradients", [torch.contiguous_format, torch.channels_last])
def test_steps_are_those_of_torch_whatever_order_a_gradient_lies_in(
    weights: torch.memory_format, gradients: torch.memory_format
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(6, 5, 3)).to(memory_format=weights)  # type: ignore[call-overload]
    expected = net[0].weight.detach().double().contiguous().clone().requires_grad_()
    optimizer, plain = MasterAdam(net, {"tcl": ["0.weight"]}, {"tcl": 1e-2}), torch.optim.Adam([expected], 1e-2)
    for _ in range(3):
        factor = torch.randn(5, 6, 3, 3).to(memory_format=gradients)
        expected.grad = factor.double().contiguous()
        weight = net[0].weight
        weight.register_hook(lambda _, factor=factor: factor)
        optimizer.step(weight.sum())
        weight._backward_hooks.clear()
        plain.step()
    torch.testing.assert_close(optimizer.masters["0.weight"], expected)
