"""Work on a project's own metric, shared out among processes: the same numbers for any number of them."""

from __future__ import annotations

import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mlci.stats.bootstrap import Piece, Values
from mlci.stats.questions import Question, same_values, unpacked

PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from mlci.stats._crew_program import main; sys.exit(main())"
"""What each hand runs; it is given the folder in which mlci was found."""

WORTH_SECONDS = 2.0
"""A process takes about half a second to begin; it is started for so much work of one core."""
_ROOM = 2 << 30
"""The bytes that rows may take in all hands together."""


class Hand(Protocol):
    """A process that is sent messages and answers them."""

    def send(self, message: bytes) -> None:
        """Send a message; raises OSError when the process has ended."""

    def receive(self) -> bytes:
        """Wait for an answer; raises EOFError or OSError when the process has ended."""

    def end(self) -> None:
        """End the process and all it has started, at once."""

    def close(self) -> None:
        """Let go of what is left of it; nobody may be waiting for an answer any more."""


@dataclass(frozen=True)
class Crew:
    """How many processes may work, this one included, and how another one is started."""

    size: int
    start: Callable[[], Hand]


class Shared:
    """Pieces of work for this process and, when there is enough of it, for others.

    Every hand first says what the metrics are on all rows. One that says something else, that cannot
    import the function, raises an error or dies is not asked again, and its piece is done here: an
    error that is the function's own then shows itself.
    """

    def __init__(
        self, evaluate: Callable[[Piece], Values], question: Question, points: Values, crew: Crew | None
    ) -> None:
        self._evaluate = evaluate
        self._question = question
        self._points = points
        self._crew = crew
        self._hands: list[Hand] = []
        self._threads: list[threading.Thread] = []
        self._waiting: deque[tuple[int, Piece]] = deque()
        self._answers: dict[int, Values] = {}
        self._asked = 0
        self._closed = False
        self._changed = threading.Condition()

    def run(self, pieces: Sequence[Piece]) -> list[Values]:
        """Return the values of each piece, in their order."""
        with self._changed:
            self._answers = {}
            self._asked = len(pieces)
            self._waiting.extend(enumerate(pieces))
            self._changed.notify_all()
        while (task := self._next_here()) is not None:
            values = self._evaluate(task[1])
            with self._changed:
                self._answers[task[0]] = values
        return [self._answers[number] for number in range(len(pieces))]

    def grow(self, seconds: float) -> None:
        """Start as many hands as work of so many seconds of one core pays for."""
        size = 0 if self._crew is None else self._crew.size - 1
        wanted = min(size, int(seconds / WORTH_SECONDS)) - len(self._hands)
        if wanted < 1 or self._crew is None:
            return
        hello = pickle.dumps(self._question, protocol=5)
        for _ in range(min(wanted, _ROOM // len(hello))):
            try:
                hand = self._crew.start()
            except OSError:  # no more processes are to be had, so there are as many as there are
                return
            self._hands.append(hand)
            thread = threading.Thread(target=self._keep_busy, args=(hand, hello), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End all hands."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for hand in self._hands:
            hand.end()
        for thread, hand in zip(self._threads, self._hands, strict=False):
            thread.join()
            hand.close()

    def _keep_busy(self, hand: Hand, hello: bytes) -> None:
        """Hand on one piece after the other, until there are none or the hand is of no use."""
        task: tuple[int, Piece] | None = None
        try:
            hand.send("\0".join(sys.path).encode())
            hand.send(hello)
            if not same_values(unpacked(hand.receive()), self._points):
                return
            while (task := self._next_there()) is not None:
                hand.send(pickle.dumps(task[1]))
                values: Values | str = unpacked(hand.receive())
                if isinstance(values, str):
                    return
                with self._changed:
                    self._answers[task[0]] = values
                    task = None
                    self._changed.notify_all()
        except (OSError, EOFError, pickle.UnpicklingError):
            return
        finally:
            with self._changed:
                if task is not None:
                    self._waiting.appendleft(task)
                self._changed.notify_all()

    def _next_here(self) -> tuple[int, Piece] | None:
        with self._changed:
            while not self._waiting and len(self._answers) < self._asked:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None

    def _next_there(self) -> tuple[int, Piece] | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return None if self._closed else self._waiting.popleft()
