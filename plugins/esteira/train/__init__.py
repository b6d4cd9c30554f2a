"""From a cleaned dataset to a published version: split, fit, judge, gate, publish, track."""

import os

# Candidates are fitted side by side: OpenMP threads that spin while they wait would take the cores
# from each other, and boosting be ten times slower. It must be said before scikit-learn is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# ONNX Runtime has a client of its own that reports to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
