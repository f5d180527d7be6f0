"""A small table with text, numbers, gaps and flags, as training data have them."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def table():
    generator = np.random.default_rng(7)
    rows = 120
    frame = pd.DataFrame(
        {
            "key": np.arange(rows),
            "length": generator.normal(size=rows),
            "count": generator.integers(0, 9, rows),
            "colour": generator.choice(["red", "green", "blue"], rows),
            "shop": generator.choice(["north", "south", None], rows),
            "new": generator.choice([True, False], rows),
        }
    )
    frame.loc[frame.index[::11], "length"] = np.nan
    noise = generator.normal(size=rows)
    frame["label"] = np.where(frame["count"] + noise > 4, "yes", "no")
    return frame
