"""A project's own metric in several processes: the same numbers, whatever becomes of the processes."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from mlci.stages._crew import crew
from mlci.stats import crew as crews
from mlci.stats.bootstrap import Piece, pieces_of
from mlci.stats.compare import compare
from mlci.stats.crew import Crew
from mlci.stats.outside import OutsideError
from mlci.stats.questions import unpacked
from mlci.stats.resampling import GroupSample, RowSample

SLOW = "import os, time\nPARENT = {parent}\ndef cost(frame):\n    time.sleep(0.004)\n"
GOOD = "    return float((5.0 * (frame['label'] > frame['prediction'])).mean())\n"
TROUBLES = {
    "dies": "    if os.getpid() != PARENT: os._exit(1)\n" + GOOD,
    "raises": "    if os.getpid() != PARENT and frame['probability_1'].duplicated().any(): 1 / 0\n" + GOOD,
    "says something else": "    if os.getpid() != PARENT: return 0.25\n" + GOOD,
    "dies later": "    if os.getpid() != PARENT and frame['probability_1'].duplicated().any(): os._exit(1)\n"
    + GOOD,
    "prints": "    print('here I am')\n" + GOOD,
}


class Watched:
    """A hand of which it is known what it answered."""

    def __init__(self, hand, answers):
        self._hand = hand
        self._answers = answers

    def receive(self):
        message = self._hand.receive()
        self._answers.append(unpacked(message))
        return message

    def __getattr__(self, name):
        return getattr(self._hand, name)


@pytest.fixture
def metric(tmp_path, monkeypatch):
    """Return a function that writes a metric into a module of its own, and returns the metric's name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(crews, "WORTH_SECONDS", 0.05)
    written = []

    def write(text: str) -> str:
        name = f"metric_of_test_{len(written)}_{os.getpid()}_{tmp_path.name}"
        written.append(name)
        (tmp_path / f"{name}.py").write_text(SLOW.format(parent=os.getpid()) + text)
        return f"{name}:cost"

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def hands():
    """Return a function that makes a crew, and the answers that its hands give."""
    answers: list[object] = []
    real = crew().start
    return lambda size: Crew(size, lambda: Watched(real(), answers)), answers


def numbers(found):
    return {key: (one.low, one.high, one.own_low, one.own_high, one.method) for key, one in found.items()}


@pytest.mark.parametrize("grouped", [False, True])
def test_numbers_are_the_same_in_any_number_of_processes(binary, metric, hands, grouped):
    name, (build, answers) = metric(GOOD), hands
    asked = {
        "slices": {"half": np.arange(300) < 150},
        "groups": np.arange(300) // 3 if grouped else None,
        "replicates": 199,
    }
    alone = compare([name], binary(1), binary(2), **asked)
    together = compare([name], binary(1), binary(2), crew=build(3), **asked)
    assert numbers(alone) == numbers(together)
    pieces = [answer for answer in answers if isinstance(answer, list)]
    assert len(pieces) > 4, "the others did nothing, so this proves nothing"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_process_that_is_of_no_use_changes_nothing(binary, metric, hands, trouble):
    name, (build, answers) = metric(TROUBLES[trouble]), hands
    alone = compare([name], None, binary(2), replicates=399)
    together = compare([name], None, binary(2), replicates=399, crew=build(2))
    assert numbers(alone) == numbers(together)
    assert len(answers) == 0 if trouble == "dies" else len(answers) > 0


def test_a_function_that_only_this_process_knows_is_called_here(binary, monkeypatch, hands):
    from types import ModuleType

    module = ModuleType("only_here")
    module.cost = lambda frame: float(frame["probability_1"].mean())
    monkeypatch.setitem(sys.modules, "only_here", module)
    monkeypatch.setattr(crews, "WORTH_SECONDS", 1e-6)
    alone = compare(["only_here:cost"], None, binary(2), replicates=199)
    build, answers = hands
    assert numbers(compare(["only_here:cost"], None, binary(2), replicates=199, crew=build(2))) == numbers(
        alone
    )
    assert answers == []


def test_a_program_that_cannot_be_started_is_done_without(binary, metric):
    def start():
        raise BlockingIOError("no more processes")

    name = metric(GOOD)
    alone = compare([name], None, binary(2), replicates=99)
    assert numbers(compare([name], None, binary(2), replicates=99, crew=Crew(4, start))) == numbers(alone)


def test_an_error_of_the_function_ends_all_processes(binary, metric, hands):
    name = metric("    if frame['probability_1'].duplicated().any(): raise KeyError('price')\n" + GOOD)
    started, (build, _) = [], hands
    watched = build(3)

    def start():
        started.append(watched.start())
        return started[-1]

    with pytest.raises(OutsideError, match="failed on 300 rows: 'price'"):
        compare([name], binary(1), binary(2), crew=Crew(3, start))
    assert len(started) == 2
    assert [hand._child.poll() is not None for hand in started] == [True, True]


def test_a_hand_ends_with_whoever_has_started_it():
    hand = crew().start()
    hand._child.stdin.close()
    assert hand._child.wait(timeout=20) == 0
    with pytest.raises(EOFError, match="ended in the middle"):
        hand.receive()
    hand.end()
    hand.close()


def test_a_function_may_change_its_table(binary, metric):
    harmless = metric(GOOD)
    rude = metric(
        "    right" + GOOD.removeprefix("    return").join([" =", ""]) + "    frame['label'] = 0\n"
        "    frame.loc[:, 'prediction'] = 9\n    del frame['probability_1']\n    frame.iloc[0, 0] = 7\n"
        "    return right\n"
    )
    found = compare([harmless, rude], binary(1), binary(2), replicates=99)
    assert numbers(found)[harmless, None] == numbers(found)[rude, None]


@pytest.mark.parametrize("sample", [RowSample(37), GroupSample(np.arange(37) // 2)])
def test_however_work_is_cut_the_counts_are_the_same(sample):
    def counts(pieces):
        return np.concatenate([part for piece in pieces for part in piece.counts(sample, 3, 37 * 8 * 7)])

    whole = counts(pieces_of(0, 120))
    assert whole.shape == (120, 37)
    for lines in (1, 7, 50):
        assert np.array_equal(whole, counts(pieces_of(0, 120, lines)))
        assert np.array_equal(whole, counts([*pieces_of(0, 70, lines), *pieces_of(70, 120, lines)]))
    left_out = counts([Piece(None, 0, sample.left_out)])
    assert left_out.shape == (sample.left_out, 37)
    assert np.array_equal(left_out[5:9], counts([Piece(None, 5, 9)]))
    assert [piece.stop - piece.start for piece in pieces_of(0, 120)] == [50, 50, 20]


def test_messages_are_those_of_the_program(tmp_path: Path):
    """The door and the program count lengths alike, with nothing between them."""
    from mlci.stats._crew_program import LENGTH, read_message

    file = tmp_path / "message"
    body = pickle.dumps([1, 2])
    file.write_bytes(len(body).to_bytes(8, "little") + body + b"\x05")
    with file.open("rb") as stream:
        assert read_message(stream) == body
        assert read_message(stream) is None
    assert LENGTH.pack(258) == (258).to_bytes(8, "little")
