"""Gradients, frozen parts and falling losses of every recipe, on a small window."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.plugins import Registry
from trainer.distillation import fit_state_head
from trainer.net import build_network
from trainer.recipes.losses import Loss, load_loss
from trainer.recipes.patch_kinds import of_tubes
from trainer.recipes.recipe import load_recipe, recipe_names
from trainer.train.session import Training, prepare

from ..train_world import settings, write_world
from .repeated_batch import repeated, rounded_and_exact

pytestmark = pytest.mark.usefixtures("small_training")
ROWS = [name for name in recipe_names() if load_recipe(name).trains and name not in ("pretrain", "k3")]
CASES = [(name, losses) for name in ROWS for losses in ("tracker", "paper")]
QUICK = [("b1", "paper"), ("c1", "tracker")]
"""Each module and each kind of losses once; d3 has all of them."""
FALLING = [pytest.param(*case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in CASES]
MOVING = [pytest.param(*case, marks=[pytest.mark.slow] * (case not in QUICK and case[0] != "d3")) for case in CASES]
RAISED = {("tcl", "tracker"): 2e-5, ("tcl", "paper"): 6e-6, ("bbe", "tracker"): 2e-5, ("bbe", "paper"): 5e-5}
"""Rates at which eight steps show, from random weights; the last of them may overshoot."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("shards"))


def training(world: Path, out: Path, **changes: Any) -> Training:
    if str(changes.get("recipe")).startswith("atom"):
        changes["tracker"] = "atom"
    if of_tubes(load_recipe(changes["recipe"]).patches):
        # The shards know no tubes, and what a row trains does not hang on how far apart its instants are.
        changes["instants"] = "one"
    return Training(prepare(settings(world, out, **({"head_steps": 2} | changes))))


@pytest.mark.parametrize(("recipe", "losses"), MOVING)
def test_what_a_row_trains_moves_and_nothing_else(world: Path, tmp_path: Path, recipe: str, losses: str) -> None:
    """At an eighth of the row's own rate: a step that float32 would lose still moves every master."""
    run = training(world, tmp_path / "run", recipe=recipe, losses=losses)
    feed = repeated(run, 2)
    live = run.optimizer.live
    gradients = torch.autograd.grad(run.objective(feed)[0], list(live.values()), allow_unused=True)
    without = [name for name, g in zip(live, gradients) if g is None or not g.isfinite().all() or not g.abs().max()]
    assert not without
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    masters = {name: value.detach().clone() for name, value in run.optimizer.masters.items()}
    run.optimizer.set_scale(1 / 8)
    for _ in range(2):
        run.optimizer.step(run.objective(feed)[0])
    assert not [name for name, value in run.optimizer.masters.items() if value.detach().equal(masters[name])]
    run.optimizer.set_scale(1e4)
    for _ in range(2):
        run.optimizer.step(run.objective(feed)[0])
    after = run.net.state_dict()
    assert {name for name in before if not after[name].equal(before[name])} == set(live)
    assert any(name.endswith("running_mean") for name in before)


def test_each_loss_of_a_run_is_resolved_once(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own could be another by the second time, and is hashed the first."""
    resolved: list[str] = []

    def load(registry: Registry, given: Mapping[str, str], name: str) -> Loss:
        resolved.append(name)
        return load_loss(registry, given, name)

    monkeypatch.setattr("trainer.recipes.settings.load_loss", load)
    run = training(world, tmp_path / "run", recipe="d3")
    run.objective(repeated(run, 2))
    assert resolved == ["lbhinge", "iou"]


@pytest.mark.parametrize(("recipe", "losses"), FALLING)
def test_the_loss_falls_on_a_repeated_batch(world: Path, tmp_path: Path, recipe: str, losses: str) -> None:
    raised = {module: RAISED[module, losses] for module in load_recipe(recipe).trains}
    run = training(world, tmp_path / "run", recipe=recipe, losses=losses, rates=raised)
    feed = repeated(run, 2)
    history = []
    for _ in range(8):
        loss, parts = run.objective(feed)
        history.append(parts)
        run.optimizer.step(loss)
    for name in history[0]:
        assert min(parts[name] for parts in history) < 0.95 * history[0][name], name


def test_pictures_and_boxes_reach_their_own_branch(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filter and modulation come from the reference branch with its own box; scores and IoUs from the test branch."""
    run = training(world, tmp_path / "run", recipe="d3")
    feed = repeated(run, 2)
    with torch.no_grad():
        reference, test = (run.features(images)["layer3"] for images in (feed.reference, feed.test))
    heard: dict[str, list[torch.Tensor]] = {}

    def listen(name: str) -> None:
        method = getattr(run.net, name)

        def spy(*arguments: Any) -> Any:
            heard.setdefault(name, []).extend(a["layer3"] if isinstance(a, dict) else a for a in arguments)
            return method(*arguments)

        monkeypatch.setattr(run.net, name, spy)

    for name in ("predict_filter", "classification_features", "modulation", "iou_features", "score_proposals"):
        listen(name)
    run.objective(feed)
    near = {"rtol": 1e-4, "atol": 1e-4}
    assert heard["predict_filter"][1].equal(feed.reference_box[None])
    assert heard["modulation"][1].equal(feed.reference_box)
    assert heard["score_proposals"][-1].equal(feed.proposals[None])
    for name, position, expected in (
        ("classification_features", 0, reference),
        ("classification_features", 1, test),
        ("modulation", 0, reference),
        ("iou_features", 0, test),
    ):
        torch.testing.assert_close(heard[name][position], expected, **near)
    assert not torch.allclose(reference, test, **near)


def test_the_loss_is_the_sum_of_its_parts(world: Path, tmp_path: Path) -> None:
    """Eq. 1: L = L_TCL + lambda L_BBE."""
    run = training(world, tmp_path / "run", recipe="d3", weight=3.0)
    loss, parts = run.objective(repeated(run, 2))
    assert parts["loss"] == pytest.approx(parts["tcl"] + 3 * parts["bbe"], rel=1e-5)
    assert float(loss.detach()) == pytest.approx(parts["loss"])


def test_mu_and_nu_penalise_filters_and_weights(world: Path, tmp_path: Path) -> None:
    """Eq. 2 and 3: the penalties add mu |filter|^2 and nu |theta|^2, theta without biases and batch-norms."""
    run = training(world, tmp_path / "run", recipe="d3", losses="paper")
    feed = repeated(run, 2)
    plain = run.objective(feed)[1]
    run.objective.settings = run.config.model_copy(update={"mu": 0.5, "nu": 0.25})
    penalised = run.objective(feed)[1]
    weights = [
        p for name, p in run.optimizer.live.items() if name.startswith("bb_regressor") and name.endswith("0.weight")
    ]
    assert len(weights) == 9
    norm = sum(float(weight.detach().square().sum()) for weight in weights)
    assert penalised["bbe"] - plain["bbe"] == pytest.approx(0.25 * norm, rel=1e-3)
    assert penalised["tcl"] > plain["tcl"]


@pytest.mark.slow
def test_psi_is_fitted_first_and_then_frozen(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(fit_state_head.log, "info", lambda _, *numbers: told.append(numbers))
    monkeypatch.setattr(fit_state_head, "CHECK", 6)
    run = training(world, tmp_path / "run", recipe="b1", losses="paper", head_steps=18)
    steps, first, last = told[0]
    assert 12 < steps <= 18
    assert last < 0.8 * first
    torch.manual_seed(run.config.seed)
    untouched = build_network("dimp18").state_dict()
    assert all(value.equal(untouched[name]) for name, value in run.net.state_dict().items())
    assert run.head is not None
    assert not any(parameter.requires_grad for parameter in run.head.parameters())
    before = {name: value.clone() for name, value in run.head.state_dict().items()}
    feed = repeated(run, 2)
    run.optimizer.set_scale(1e3)
    for _ in range(2):
        run.optimizer.step(run.objective(feed)[0])
    assert all(value.equal(before[name]) for name, value in run.head.state_dict().items())
    assert not set(run.optimizer.live) & set(run.head.state_dict())


def test_psi_stops_when_it_gains_no_more(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(fit_state_head.log, "info", lambda _, *numbers: told.append(numbers))
    monkeypatch.setattr(fit_state_head, "CHECK", 2)
    monkeypatch.setattr(fit_state_head, "RATE", 0.0)
    training(world, tmp_path / "run", recipe="b1", losses="paper", head_steps=40)
    assert told[0][0] < 40


def test_bfloat16_changes_little_and_leaves_every_gradient(world: Path, tmp_path: Path) -> None:
    run = training(world, tmp_path / "run", recipe="d3", amp=True)
    rounded, exact = rounded_and_exact(run, repeated(run, 2))
    for name, value in rounded.items():
        assert value != exact[name]


@pytest.mark.parametrize("bbe_loss", ["state+iou", "kl"])
def test_a_box_loss_can_be_chosen_by_itself(world: Path, tmp_path: Path, bbe_loss: str) -> None:
    run = training(world, tmp_path / "run", recipe="b2", bbe_loss=bbe_loss)
    feed = repeated(run, 2)
    assert (feed.density is not None) == (bbe_loss == "kl")
    assert (run.head is not None) == (bbe_loss == "state+iou")
    gradients = torch.autograd.grad(run.objective(feed)[0], list(run.optimizer.live.values()))
    assert all(gradient.abs().max() for gradient in gradients)
