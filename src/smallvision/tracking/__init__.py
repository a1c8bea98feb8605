"""Runs as other programs show them: MLflow, TensorBoard, Weights & Biases.

Only records are read, so that no tracker can hurt a run.
"""
