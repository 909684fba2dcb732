"""An attack that was interrupted goes on where it stopped, to the bit, and asks nothing twice."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import torch
from torch import Tensor

from adversarial.sample import digits, network
from paribus.labs.adversarial import remembered as module
from paribus.labs.adversarial.attacks.search import Adversarial
from paribus.labs.adversarial.experiments import Protocol
from paribus.labs.adversarial.protocol import attacks_of
from paribus.labs.adversarial.remembered import Remembered
from paribus.spec.seed import Streams

BY = (("pgd", "linf"), ("mi_fgsm", "linf"), ("apgd_ce", "l1"), ("apgd_t", "linf"), ("fab_t", "l2"), ("square", "linf"),
      ("deepfool", "l2"), ("carlini_wagner", "l2"), ("elastic_net", "l1"), ("course", "l2"))  # fmt: skip


class Network:
    """A network that stops when it has been asked so often; it counts its answers and its gradients."""

    def __init__(self, most: float = torch.inf) -> None:
        self.most, self.asked = most, 0
        self.model = network()

    def __call__(self, images: Tensor) -> Tensor:
        if self.asked >= self.most:
            raise KeyboardInterrupt
        self.asked += 1
        return torch.as_tensor(self.model(images))


def same(one: Adversarial, other: Adversarial) -> None:
    for name, values in vars(one).items():
        assert torch.equal(values, getattr(other, name)), name


@pytest.mark.parametrize(("by", "norm"), BY)
def test_every_attack_goes_on_where_it_stopped(by: str, norm: str, tmp_path: Path) -> None:
    images, labels = digits("test", 3)
    eps = {"linf": 0.03, "l2": 0.8, "l1": 8.0}[norm]
    attack = attacks_of(Protocol(norm=norm, eps=eps, attacks=(by,), steps=8, queries=30, searches=2))[by]

    def run(model: object) -> Adversarial:
        return attack(model, images, labels, streams=Streams(0))  # type: ignore[arg-type]

    plain = Network()
    whole = run(plain)
    kept = tmp_path / "a folder" / "answers"
    done = 0
    for most in (1, 4, 3):
        stopped = Network(most)
        with pytest.raises(KeyboardInterrupt), closing(Remembered(stopped, kept)) as model:
            run(model)
        done += most
    last = Network()
    with closing(Remembered(last, kept)) as model:
        same(run(model), whole)
    assert plain.asked - done <= last.asked <= plain.asked - done + 1  # one where an answer's gradient was not kept
    again = Network(0)
    with closing(Remembered(again, kept)) as model:
        same(run(model), whole)


def test_a_file_that_was_cut_or_spoilt_is_believed_as_far_as_it_is_whole(tmp_path: Path) -> None:
    images, labels = digits("test", 2)
    attack = attacks_of(Protocol(attacks=("pgd",), steps=6, eps=1e-3))["pgd"]
    kept = tmp_path / "answers"
    with closing(Remembered(Network(), kept)) as model:
        whole = attack(model, images, labels, streams=Streams(0))
    data = kept.read_bytes()
    spoilt = bytearray(data)
    spoilt[len(data) // 2] ^= 1
    for broken in (data[:-1], data[: len(data) // 2], data[:5], b"", bytes(spoilt), data[:40] + b"\xff" * 500):
        kept.write_bytes(broken)
        with closing(Remembered(Network(), kept)) as model:
            same(attack(model, images, labels, streams=Streams(0)), whole)
        assert kept.read_bytes() == data, "and what is asked anew is kept"


def test_another_question_is_answered_anew_and_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    images, _ = digits("test", 3)
    kept = tmp_path / "answers"
    with closing(Remembered(Network(), kept)) as model:
        model(images), model(images * 0.5)
    size, asked = kept.stat().st_size, Network()
    with closing(Remembered(asked, kept)) as model:
        model(images)
        assert asked.asked == 0
        assert torch.equal(model(images * 0.25), network()(images * 0.25))
        assert asked.asked == 1
    assert kept.stat().st_size == size
    (tmp_path / "file").write_text("no folder")
    with closing(Remembered(Network(), tmp_path / "file" / "answers")) as model:
        assert torch.equal(model(images), network()(images))


def test_two_at_once_do_not_mix_and_no_more_is_kept_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, _ = digits("test", 2)
    kept = tmp_path / "answers"
    with closing(Remembered(Network(), kept)) as first, closing(Remembered(Network(), kept)) as second:
        one, two = first(images), second(images)
        assert torch.equal(one, two)
        size = kept.stat().st_size
        second(images)
        assert kept.stat().st_size == size
    monkeypatch.setattr(module, "MOST", 2 * size)
    with closing(Remembered(Network(), kept)) as model:
        for _ in range(5):
            assert torch.equal(model(images), one)
    assert kept.stat().st_size == 2 * size
