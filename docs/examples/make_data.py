"""Makes the small batches of real data beside this file, from the data sets that scikit-learn ships.

    python docs/examples/make_data.py

digits.npz     1797 images of handwritten digits (pixels 0 to 16) and which digit each is
classifier.npz what a softmax classifier, fitted to the first 1200 images, says of the other 597
diabetes.npz   disease progression of 442 patients, and three predicted quantiles of it (10, 50, 90 percent)
factors.npz    512 pixels of digit images, and rank-8 vectors of their images and places

Only this script needs scikit-learn. Running it again gives the same numbers up to rounding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, QuantileRegressor

HERE = Path(__file__).parent
TRAINED_ON = 1200


def main() -> None:
    """Write every file."""
    digits = load_digits()
    pixels, digit = digits.data.astype(np.float64), digits.target.astype(np.int64)
    np.savez_compressed(HERE / "digits.npz", pixels=pixels.astype(np.uint8), digit=digit.astype(np.uint8))
    np.savez_compressed(HERE / "classifier.npz", **classifier(pixels / 16, digit))
    np.savez_compressed(HERE / "diabetes.npz", **quantile_bands())
    np.savez_compressed(HERE / "factors.npz", **factors(pixels))


def classifier(pixels: np.ndarray, digit: np.ndarray) -> dict[str, np.ndarray]:
    """Logits [example, class] of unseen images, their labels, and the weights [pixel, class]."""
    model = LogisticRegression(C=1.0, max_iter=2000, tol=1e-8).fit(pixels[:TRAINED_ON], digit[:TRAINED_ON])
    logits = model.decision_function(pixels[TRAINED_ON:])
    return {
        "logits": logits.astype(np.float32),
        "digit": digit[TRAINED_ON:],
        "weight": model.coef_.T.astype(np.float32),
    }


def quantile_bands() -> dict[str, np.ndarray]:
    """Predicted quantiles [example, q] and the truth [example]; the measure is about 25 to 346."""
    data = load_diabetes()
    columns = [
        QuantileRegressor(quantile=level, alpha=0.0).fit(data.data, data.target).predict(data.data)
        for level in (0.1, 0.5, 0.9)
    ]
    return {
        "prediction": np.stack(columns, axis=1).astype(np.float32),
        "target": data.target.astype(np.float32),
    }


def factors(pixels: np.ndarray, rank: int = 8, pairs: int = 512) -> dict[str, np.ndarray]:
    """Vectors [pair, dim] whose products approximate centred pixels, and those pixels [pair]."""
    centred = pixels - pixels.mean()
    left, scale, right = np.linalg.svd(centred, full_matrices=False)
    image, place = left[:, :rank] * np.sqrt(scale[:rank]), right[:rank].T * np.sqrt(scale[:rank])
    random = np.random.default_rng(0)
    rows, columns = random.integers(0, len(image), pairs), random.integers(0, len(place), pairs)
    return {
        "user": image[rows].astype(np.float32),
        "item": place[columns].astype(np.float32),
        "rating": centred[rows, columns].astype(np.float32),
    }


if __name__ == "__main__":
    main()
