"""Stage 1: pair each hour's weather with the temperature some hours later, and split by week."""

from pathlib import Path

import pandas as pd
import yaml

params = yaml.safe_load(Path("params.yaml").read_text())["prepare"]
weather = pd.read_csv("data/raw.csv", parse_dates=["time_hour"])
weather["day_of_year"] = weather["time_hour"].dt.day_of_year
weather["season"] = (weather["month"] % 12 // 3).map({0: "winter", 1: "spring", 2: "summer", 3: "autumn"})

later = weather[["time_hour", "temp"]].rename(columns={"temp": "temp_later"})
later["time_hour"] -= pd.Timedelta(hours=params["hours_ahead"])
rows = weather.merge(later, on="time_hour").dropna(subset=["temp", "temp_later"])

week = rows["day_of_year"] // 7
held_out = week % params["evaluate_every_nth_week"] == 0
folder = Path("data/prepared")
folder.mkdir(parents=True, exist_ok=True)
rows[~held_out].to_csv(folder / "train.csv", index=False)
rows[held_out].to_csv(folder / "evaluate.csv", index=False)
