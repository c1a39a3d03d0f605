"""One optimizer step of a straight line: what it does to the weights, the schedule and the scale."""

import contextlib
import itertools
import math

import pytest
import torch

from farm_ray.data_handler.feed.base import MicroBatch
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.ranks import Ranks
from farm_ray.train.step import MOST_LOST_IN_FP16, LostSteps, TrainState, train_step

X = torch.tensor([[1.0], [2.0], [-1.0], [3.0], [0.5], [-2.0], [4.0], [1.5]])
Y = torch.tensor([2.0, 3.0, 0.0, 1.0, -1.0, 2.0, 5.0, 0.0])


class Line(torch.nn.Module):
    """y = a x + b, with the squared error of each row as its loss."""

    prediction_heads = ()

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        with torch.no_grad():
            self.layer.weight.fill_(0.5)
            self.layer.bias.fill_(-1.0)
        self.steps_heard = []

    def forward(self, input_ids, **_):
        return self.layer(input_ids)

    def logits_to_loss(self, logits, global_step=None, *, target, **_):
        self.steps_heard.append(global_step)
        return (logits[:, 0].float() - target) ** 2

    def weights(self):
        return torch.cat([parameter.detach().flatten() for parameter in self.parameters()])


def rows(start, stop, weight=1.0):
    return MicroBatch(tensors={"input_ids": X[start:stop], "target": Y[start:stop]}, weight=weight)


def trainee(*, ranks=None, max_grad_norm=None, precision=None, schedule=False):
    """SGD with a rate of 1: a step changes the weights by the gradient."""
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    return TrainState(
        model=model,
        wrapped=model,
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1)) if schedule else None,
        precision=precision or Precision.resolve(None, "cpu"),
        ranks=ranks or Ranks(),
        max_grad_norm=max_grad_norm,
    )


def change(made, micro_batches, *, rows_in_step=8, global_step=0):
    """Loss of a step, how it changed the weights, and whether it says that it did."""
    before = made.model.weights()
    loss, updated = train_step(made, micro_batches, rows_in_step=rows_in_step, global_step=global_step)
    return loss.item(), made.model.weights() - before, updated


def plain():
    """Loss and change of weights of a step over all rows, by torch alone."""
    model = Line()
    loss = ((model(X)[:, 0] - Y) ** 2).mean()
    loss.backward()
    return loss.item(), -torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def scaled(scale=2.0**16):
    """What fp16 is on a GPU; CPUs have the scaler too."""
    return Precision("fp16", torch.bfloat16, "cpu", torch.amp.GradScaler("cpu", init_scale=scale))


@pytest.mark.parametrize("cuts", [(0, 8), (0, 5, 8), (0, 1, 7, 8), tuple(range(9))])
def test_however_a_step_is_cut_it_is_the_mean_over_its_rows(cuts):
    loss, moved, updated = change(trainee(), [rows(*cut) for cut in itertools.pairwise(cuts)])
    expected, direction = plain()
    assert updated
    assert loss == pytest.approx(expected)
    torch.testing.assert_close(moved, direction)


@pytest.mark.parametrize("cuts", [((0, 5), (5, 8)), ((0, 7), (7, 8)), ((0, 8), (0, 1, 0.0)), ((0, 3), (3, 6), (6, 8))])
def test_unequal_shares_of_ranks_add_up_to_the_mean_over_all_rows(cuts):
    """DDP takes the mean of the ranks' gradients, as is done here; a rank without rows counts nothing."""
    done = [
        change(trainee(ranks=Ranks(rank=rank, world_size=len(cuts))), [rows(*cut)]) for rank, cut in enumerate(cuts)
    ]
    expected, direction = plain()
    assert sum(loss for loss, _, _ in done) == pytest.approx(expected)
    torch.testing.assert_close(torch.stack([moved for _, moved, _ in done]).mean(dim=0), direction)


@pytest.mark.parametrize(("most", "length"), [(0.25, 0.25), (1e6, None), (None, None)])
def test_gradients_are_clipped_to_their_total_norm_and_never_stretched(most, length):
    _, moved, _ = change(trainee(max_grad_norm=most), [rows(0, 4), rows(4, 8)])
    direction = plain()[1]
    expected = direction if length is None else direction / direction.norm() * length
    torch.testing.assert_close(moved, expected)


def test_a_scaled_loss_is_clipped_by_its_true_gradients():
    _, moved, _ = change(trainee(max_grad_norm=0.25, precision=scaled()), [rows(0, 8)])
    assert moved.norm().item() == pytest.approx(0.25, rel=1e-3)


def test_no_gradient_is_left_for_the_next_step():
    made = trainee()
    change(made, [rows(0, 8)])
    assert [parameter.grad for parameter in made.model.parameters()] == [None, None]


def test_ranks_meet_in_the_last_micro_batch_only_and_losses_hear_the_step():
    met = []

    class Wrapped(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.alone = model, False

        def forward(self, **tensors):
            met.append(not self.alone)
            return self.model(**tensors)

        @contextlib.contextmanager
        def no_sync(self):
            self.alone = True
            yield
            self.alone = False

    made = trainee()
    made.wrapped = Wrapped(made.model)
    change(made, [rows(0, 3), rows(3, 6), rows(6, 8)], global_step=7)
    assert met == [False, False, True]
    assert made.model.steps_heard == [7, 7, 7]


def test_the_schedule_counts_updates_not_micro_batches():
    made = trainee(schedule=True)
    change(made, [rows(at, at + 1) for at in range(8)])
    assert made.optimizer.param_groups[0]["lr"] == 1 / 2


def test_an_overflow_in_fp16_leaves_out_the_update_and_the_schedule_waits():
    """The scale halves until the gradients fit; then weights and schedule move on."""
    made = trainee(precision=scaled(2.0**127), schedule=True)
    seen = [change(made, [rows(0, 8)]) for _ in range(3)]
    assert [updated for _, _, updated in seen] == [False, False, True]
    assert [moved.abs().sum().item() > 0 for _, moved, _ in seen] == [False, False, True]
    assert made.precision.scaler.get_scale() == 2.0**125
    assert made.scheduler.last_epoch == 1
    assert all(math.isfinite(loss) for loss, _, _ in seen)


def test_in_float32_the_first_loss_that_is_no_number_is_one_too_many():
    lost = LostSteps.for_precision(Precision.resolve(None, "cpu"))
    assert not lost.too_many(1.0, updated=True)
    assert lost.too_many(math.nan, updated=True)


@pytest.mark.parametrize(("loss", "updated"), [(math.nan, False), (math.inf, False), (math.nan, True), (0.5, False)])
def test_in_fp16_lost_steps_must_be_in_a_row(loss, updated):
    lost = LostSteps.for_precision(scaled())
    assert not any(lost.too_many(loss, updated=updated) for _ in range(MOST_LOST_IN_FP16))
    assert not lost.too_many(0.5, updated=True)
    assert not any(lost.too_many(loss, updated=updated) for _ in range(MOST_LOST_IN_FP16))
    assert lost.too_many(loss, updated=updated)


def test_in_fp16_as_many_steps_may_be_lost_as_the_scale_needs_to_come_down():
    scale = scaled().scaler.get_scale()
    assert scale * 0.5**MOST_LOST_IN_FP16 < 1


class Counting:
    """A head whose loss is a mean over units, of which rows hold different numbers."""

    has_loss_units = True
    loss_units_column = "units_per_row"

    def loss_units(self, *, units, **_):
        return units


class Counted(Line):
    """Each unit of a row has the row's error."""

    prediction_heads = (Counting(),)

    def logits_to_loss(self, logits, *, target, units, units_per_row, **_):
        return super().logits_to_loss(logits, target=target) * units / units_per_row


UNITS = torch.tensor([1.0, 5.0, 2.0, 0.0, 3.0, 1.0, 1.0, 7.0])


@pytest.mark.parametrize("cuts", [(8,), (3, 8), (1, 2, 6, 8)])
def test_a_loss_over_units_is_the_mean_over_all_units_of_the_step(cuts):
    model = Counted()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    made = TrainState(
        model=model, wrapped=model, optimizer=optimizer, scheduler=None, precision=Precision.resolve(None, "cpu")
    )
    wanted = float((((0.5 * X[:, 0] - 1.0 - Y) ** 2) * UNITS).sum() / UNITS.sum())
    batches = [
        MicroBatch(tensors={"input_ids": X[a:b], "target": Y[a:b], "units": UNITS[a:b]})
        for a, b in itertools.pairwise((0, *cuts))
    ]
    # A rank without rows takes part with a row that counts nothing, its units neither.
    batches.append(MicroBatch(tensors={"input_ids": X[:1], "target": Y[:1], "units": UNITS[1:2]}, weight=0.0))
    loss, _ = train_step(made, batches, rows_in_step=8, global_step=0)
    assert float(loss) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(("weight", "moves"), [(1.0, True), (0.0, False)])
def test_a_row_that_counts_nothing_draws_nothing(weight, moves, monkeypatch):
    """Which row that is may differ after a resume; the dropout of the rows that count must not."""
    made = trainee()
    monkeypatch.setattr(made.model, "forward", lambda input_ids, **_: made.model.layer(input_ids) * torch.rand(1))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    train_step(made, [rows(0, 1, weight)], rows_in_step=1, global_step=0)
    assert torch.equal(torch.get_rng_state(), before) != moves
