"""How well a marker predicts: ROC over time, calibration, Brier score, decision curves."""
