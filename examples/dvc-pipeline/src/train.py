"""Stage 2: fit a model that forecasts the temperature."""

from pathlib import Path

import joblib
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline

params = yaml.safe_load(Path("params.yaml").read_text())["train"]
train = pd.read_csv("data/prepared/train.csv")

features = params.pop("features")
columns = make_column_transformer(("passthrough", features))
model = make_pipeline(columns, HistGradientBoostingRegressor(**params))
model.fit(train[features], train["temp_later"])

Path("models").mkdir(exist_ok=True)
joblib.dump(model, "models/model.joblib")
