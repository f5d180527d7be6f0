"""Write data/train.csv and data/evaluate.csv from the breast cancer data that scikit-learn ships."""

from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

folder = Path(__file__).parent / "data"
folder.mkdir(exist_ok=True)

table = load_breast_cancer(as_frame=True)
rows = table.data.rename(columns=lambda name: name.replace(" ", "_"))
rows.insert(0, "patient", range(1, len(rows) + 1))
rows["malignant"] = (table.target == 0).astype(int)  # scikit-learn codes malignant as 0

train, evaluate = train_test_split(rows, test_size=0.5, stratify=rows["malignant"], random_state=17)
train.sort_values("patient").to_csv(folder / "train.csv", index=False)
evaluate.sort_values("patient").to_csv(folder / "evaluate.csv", index=False)
