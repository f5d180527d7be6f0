"""Scores a model on a table, here or in a fresh process that shares nothing with the training."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError
from mlci.core.ports import Model
from mlci.process import Completed, run_quiet

if TYPE_CHECKING:
    import pandas as pd

PREDICTION = "prediction"
"""Name of the column with one prediction a row."""

# Written out instead of `-m`: the child finds mlci where this process found it, behind everything else.
_PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from mlci.scoring import main; sys.exit(main())"


def probability_column(label: Any) -> str:
    """Return the name of the column with the probability of a class."""
    return f"probability_{label}"


def score(model: Model, frame: pd.DataFrame, drop: Sequence[str]) -> pd.DataFrame:
    """Return the predictions of `model`, one row for each row of `frame`, in the same order.

    Columns: `prediction`, and `probability_<class>` for each class of a model that has them. A model
    that knows its features is given these; any other is given all columns but `drop`.
    Raises MlciError `data.missing-column`, or `model.unreadable` when the model refuses the rows.
    """
    import pandas as pd

    if getattr(model, "features", None) is None:
        frame = frame.drop(columns=[name for name in drop if name in frame.columns])
    scores = {PREDICTION: model.predict(frame)}
    if getattr(scores[PREDICTION], "ndim", 1) > 1:
        raise MlciError(
            "model.unreadable",
            f"the model predicts {scores[PREDICTION].shape[-1]} columns for each row, and one is asked for",
            "write the predictions of several labels by train.command, as prediction_<label>",
        )
    probabilities = model.predict_proba(frame)
    if probabilities is not None:
        classes = list(model.classes or [])
        if probabilities.shape != (len(frame), len(classes)):
            raise MlciError(
                "model.unreadable",
                f"the model has {len(classes)} classes, but probabilities of shape {probabilities.shape}",
                "train the model again; its classes_ and predict_proba do not belong together",
            )
        scores |= {probability_column(label): probabilities[:, at] for at, label in enumerate(classes)}
    return pd.DataFrame(scores)


def score_in_fresh_process(
    model: Path,
    data: Path,
    out: Path,
    drop: Sequence[str],
    trusted: Sequence[str],
    *,
    run: Callable[..., Completed] = run_quiet,
    root: Path | None = None,
    timeout: float | None = None,
) -> Path:
    """Score `model` on the rows of `data` in a new interpreter, and return `out`, a Parquet file.

    `root` is the folder from which the project's own modules are imported (default: the current one);
    `timeout` is in seconds. A model that brings its process down is an error here and nothing more.
    Raises the MlciError of the child, or `model.unreadable` when it ends without one.
    """
    options = ["--model", model.resolve(), "--data", data.resolve(), "--out", out.resolve()]
    options += [part for name in drop for part in ("--drop", name)]
    options += [part for name in trusted for part in ("--trusted", name)]
    home = Path(__file__).resolve().parents[1]
    argv = [sys.executable, "-c", _PROGRAM, str(home), *(str(option) for option in options)]
    done = run(argv, cwd=root or Path.cwd(), timeout=timeout)
    if done.returncode != 0:
        raise _error_of(done, model)
    return out


def _error_of(done: Completed, model: Path) -> MlciError:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("code") in ERROR_CODES:
            return MlciError(record["code"], str(record.get("message")), str(record.get("hint", "")))
    if done.timed_out:
        how = "did not end in time and was stopped"
    elif done.returncode < 0:
        how = f"was ended by signal {-done.returncode}"
    else:
        how = f"ended with exit code {done.returncode}"
    last = f": {lines[-1][:300]}" if lines else ""
    return MlciError(
        "model.unreadable",
        f"scoring '{model.name}' {how}{last}",
        "try the model's predict on these rows by hand; does it need more memory or time?",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Score by the options of the command line; an MlciError is one line of JSON on stderr."""
    options = _parser().parse_args(arguments)
    try:
        _score_file(options.model, options.data, options.out, options.drop, options.trusted)
    except MlciError as error:
        record = {"code": error.code, "message": error.message, "hint": error.hint}
        sys.stderr.write(json.dumps(record) + "\n")
        return int(error.exit_code)
    return 0


def _score_file(model: Path, data: Path, out: Path, drop: Sequence[str], trusted: Sequence[str]) -> None:
    from mlci.flavors._find import load_model
    from mlci.readers import read_table

    loaded = load_model(model, trusted)
    _write_parquet(score(loaded, read_table(data), drop), out)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        frame.to_parquet(part, index=False)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mlci.scoring", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model file or folder")
    parser.add_argument("--data", type=Path, required=True, help="table with the rows to score")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file for the predictions")
    parser.add_argument(
        "--drop", action="append", default=[], help="column that is not a feature; may repeat"
    )
    parser.add_argument("--trusted", action="append", default=[], help="type to trust; may repeat")
    return parser


if __name__ == "__main__":
    sys.exit(main())
