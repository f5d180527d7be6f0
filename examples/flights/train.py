"""Train a classifier of late arrivals; mlci says where to read and where to write."""

import json
import os
from pathlib import Path

import pandas as pd
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

NUMBERS = [  # without the month: those of the evaluation are not in the training data
    *["day_of_week", "sched_dep_minute", "sched_minutes", "dep_delay", "distance"],
    *["plane_built", "seats", "temp", "wind_speed", "precip", "visib"],
]
NAMES = ["carrier", "origin", "dest"]

label, key = os.environ["MLCI_DATA_LABEL"], os.environ["MLCI_DATA_KEY"]
train = pd.read_parquet(os.environ["MLCI_DATA_TRAIN"])
evaluate = pd.read_parquet(os.environ["MLCI_DATA_EVALUATE"])
params = json.loads(Path(os.environ["MLCI_PARAMS_FILE"]).read_text())

names_as_numbers = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
columns = make_column_transformer((names_as_numbers, NAMES), ("passthrough", NUMBERS))
classifier = HistGradientBoostingClassifier(random_state=17, **params)
model = make_pipeline(columns, classifier)
model.fit(train[NAMES + NUMBERS], train[label])

predictions = evaluate[[key, label]].assign(
    prediction=model.predict(evaluate), probability=model.predict_proba(evaluate)[:, 1]
)
predictions.to_parquet(os.environ["MLCI_PREDICTIONS_FILE"], index=False)
skops.io.dump(model, Path(os.environ["MLCI_MODEL_DIR"]) / "model.skops")
