"""Measurements of speed, as records: the input path, training steps, targets, predictions."""

from smallvision.bench.accuracy import bench_accuracy
from smallvision.bench.pipeline import bench_pipeline
from smallvision.bench.predict import bench_predict
from smallvision.bench.step import bench_step

__all__ = ["bench_accuracy", "bench_pipeline", "bench_predict", "bench_step"]
