"""Stage 3: measure the forecast on the weeks that were held out."""

import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

evaluate = pd.read_csv("data/prepared/evaluate.csv")
forecast = joblib.load("models/model.joblib").predict(evaluate)
truth = evaluate["temp_later"]
metrics = {
    "rmse": root_mean_squared_error(truth, forecast),
    "mae": mean_absolute_error(truth, forecast),
    "r2": r2_score(truth, forecast),
}
Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
