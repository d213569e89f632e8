"""The whole networks: keys, entry points, and what must not depend on how the images are stacked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from trainer.net import AtomNet, DimpNet, build_network
from trainer.net.iou_net import BoxFeatures

from .conftest import Shape, noise


@pytest.fixture(scope="module")
def net() -> DimpNet:
    torch.manual_seed(0)
    return build_network("dimp18").eval()


def images(name: str, count: int, side: int = 96) -> Tensor:
    return noise(name, count, 3, side, side).float()


def boxes(*lead: int) -> Tensor:
    return torch.tensor([20.0, 24.0, 40.0, 32.0]) + noise("boxes", *lead, 4).float()


@pytest.mark.parametrize("tracker", ["dimp18", "dimp50", "superdimp", "atom"])
def test_keys_shapes_and_order_are_those_of_released_files(
    reference_keys: Callable[[str], list[tuple[str, Shape, str]]], tracker: str
) -> None:
    with torch.device("meta"):
        state = build_network(tracker).state_dict()
    rows = [(key, tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()]
    assert rows == reference_keys(tracker)


@pytest.mark.parametrize(
    ("tracker", "entries", "millions"),
    [("dimp18", 221, 19.65), ("dimp50", 407, 43.10), ("superdimp", 407, 43.10), ("atom", 201, 17.29)],
)
def test_size_and_order_of_the_parts(tracker: str, entries: int, millions: float) -> None:
    """Counts that the description of the released files gives; a ResNet's are public knowledge."""
    with torch.device("meta"):
        net = build_network(tracker)
    state = net.state_dict()
    assert len(state) == entries
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)
    parts = ["feature_extractor", *(["classifier"] if tracker != "atom" else []), "bb_regressor"]
    assert list(dict.fromkeys(key.partition(".")[0] for key in state)) == parts
    assert next(iter(state)) == "feature_extractor.conv1.weight"
    assert list(state)[-1] == "bb_regressor.iou_predictor.bias"
    trained = sum(p.numel() for p in net.feature_extractor.parameters()) / 1e6
    assert trained == pytest.approx(11.690 if tracker in ("dimp18", "atom") else 25.557, abs=0.001)


def test_an_unknown_tracker_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'dimp34'.*dimp18, dimp50, superdimp, atom"):
        build_network("dimp34")


def test_superdimp_differs_in_its_initial_label_alone() -> None:
    torch.manual_seed(0)
    dimp = build_network("dimp50").state_dict()
    torch.manual_seed(0)
    superdimp = build_network("superdimp").state_dict()
    differing = [key for key, value in dimp.items() if not torch.equal(value, superdimp[key])]
    assert differing == ["classifier.filter_optimizer.label_map_predictor.weight"]


def test_only_layers_that_run_ask_for_gradients() -> None:
    net = build_network("atom").train()
    score = net(images("a", 2)[None], images("b", 2)[None], boxes(1, 2), boxes(1, 2, 3))
    score.square().sum().backward()
    idle = {name for name, p in net.named_parameters() if p.grad is None}
    assert idle == {name for name, p in net.named_parameters() if not p.requires_grad}
    assert {".".join(name.split(".")[:2]) for name in idle} == {"feature_extractor.layer4", "feature_extractor.fc"}


def test_sequences_do_not_mix(net: DimpNet) -> None:
    """Three images of two sequences give each sequence what it gets alone."""
    with torch.no_grad():
        features = net.backbone_features(images("train", 6))
        target, places = boxes(3, 2), boxes(3, 2, 4)
        maps = net.classification_features(features)
        found = net.predict_filter(maps, target, iterations=2)
        scores, iou = (
            net.classify(found.filters, maps),
            net.predict_iou(net.reference_modulation(features, target), features, places),
        )
        for i in range(2):
            own = {level: x[i::2] for level, x in features.items()}
            alone = net.predict_filter(maps[i::2], target[:, i : i + 1], iterations=2)
            torch.testing.assert_close(alone.filters[:, 0], found.filters[:, i])
            torch.testing.assert_close(
                net.classify(alone.filter, maps[i::2])[:, 0], scores[-1, :, i], atol=1e-5, rtol=1e-4
            )
            modulation = net.modulation({level: x[:1] for level, x in own.items()}, target[0, i : i + 1])
            single = net.predict_iou(modulation, own, places[:, i : i + 1])
            torch.testing.assert_close(single[:, 0], iou[:, i], atol=1e-5, rtol=1e-4)
    assert scores.shape == (3, 3, 2, 7, 7)
    assert iou.shape == (3, 2, 4)


def test_forward_is_the_sum_of_the_entry_points(net: DimpNet) -> None:
    train, test, target, places = images("train", 4), images("test", 2), boxes(2, 2), boxes(1, 2, 5)
    with torch.no_grad():
        scores, iou = net(train.view(2, 2, 3, 96, 96), test[None], target, places)
        reference, searched = net.backbone_features(train), net.backbone_features(test)
        found = net.predict_filter(net.classification_features(reference), target)
        modulation = net.modulation({level: x[:2] for level, x in reference.items()}, target[0])
        torch.testing.assert_close(
            scores[-1], net.classify(found.filter, net.classification_features(searched)), atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(iou, net.score_proposals(modulation, net.iou_features(searched), places))


def test_a_tracker_goes_on_from_the_filter_it_has(net: DimpNet) -> None:
    with torch.no_grad():
        maps = net.classification_features(net.backbone_features(images("train", 3)))
        weight = torch.tensor([0.5, 0.3, 0.2])
        whole = net.predict_filter(maps, boxes(3, 1), iterations=3, sample_weight=weight)
        half = net.predict_filter(maps, boxes(3, 1), iterations=1, sample_weight=weight)
        rest = net.optimize_filter(half.filter, maps, boxes(3, 1), iterations=2, sample_weight=weight)
    torch.testing.assert_close(rest.filter, whole.filter)


def test_classification_features_have_unit_energy_a_filter(net: DimpNet) -> None:
    with torch.no_grad():
        maps = net.classification_features(net.backbone_features(images("train", 2)))
    energy = maps.square().mean(dim=(1, 2, 3)) * 256 * 16
    torch.testing.assert_close(energy, torch.ones(2))


def test_gradients_of_proposals_by_finite_differences() -> None:
    torch.manual_seed(0)
    net: AtomNet = build_network("atom").eval().double()
    with torch.no_grad():
        features = net.backbone_features(noise("image", 1, 3, 96, 96))
        modulation = net.modulation(features, boxes(1).double())
        test = net.iou_features(features)
    places = boxes(1, 1, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: net.score_proposals(modulation, test, p), places, eps=1e-5, atol=1e-6)


@pytest.mark.parametrize(("level", "stride"), [("level3", 8), ("level4", 16)])
def test_a_proposal_is_judged_by_what_lies_under_it(net: DimpNet, level: str, stride: int) -> None:
    maps = BoxFeatures(noise("fine", 1, 256, 24, 24).float(), noise("coarse", 1, 256, 12, 12).float())
    seen = getattr(maps, level).requires_grad_()
    net.bb_regressor.score(maps, torch.tensor([[[96.0, 32.0, 64.0, 48.0]]])).sum().backward()
    rows, columns = (seen.grad[0].abs().sum(dim=(0, axis)).nonzero().flatten() for axis in (2, 1))
    assert rows.tolist() == list(range(32 // stride, 80 // stride + 1))
    assert columns.tolist() == list(range(96 // stride, 160 // stride + 1))


def test_box_modulation_multiplies_channels(net: DimpNet) -> None:
    with torch.no_grad():
        features = net.backbone_features(images("train", 2))
        modulation = net.modulation(features, boxes(2))
        test = net.iou_features(features)
        modulated = net.modulate(modulation, test)
    torch.testing.assert_close(modulated.level3[1, 7], test.level3[1, 7] * modulation.mod3[1, 7])
    torch.testing.assert_close(modulated.level4[0, 9], test.level4[0, 9] * modulation.mod4[0, 9])
