"""The program of one hand: it reads a question and pieces of work, and says the values of each."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

LENGTH = struct.Struct("<Q")
"""Every message begins with its length in bytes."""


def main() -> int:
    """Answer messages until there are no more.

    Whatever a metric prints is thrown away: standard output belongs to the answers.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    messages: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(messages,), daemon=True).start()
    sys.path[:] = messages.get().decode().split("\0")
    from mlci.stats.questions import Answers, unpacked

    known = Answers(unpacked(messages.get()))
    _say(answers, known.points())
    while True:
        piece = unpacked(messages.get())
        try:
            _say(answers, known.of(piece))
        except Exception as error:  # it is asked again where it can be reported
            _say(answers, str(error))


def _listen(messages: SimpleQueue[bytes]) -> None:
    """Take in messages; when there is nobody any more who could send one, end at once."""
    while (message := read_message(sys.stdin.buffer)) is not None:
        messages.put(message)
    os._exit(0)


def read_message(stream: BinaryIO) -> bytes | None:
    """Return the next message; None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    body = stream.read(size)
    return body if len(body) == size else None


def _say(stream: BinaryIO, found: object) -> None:
    message = pickle.dumps(found, protocol=5)
    stream.write(LENGTH.pack(len(message)) + message)
    stream.flush()
