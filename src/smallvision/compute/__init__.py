"""Device, precision, compilation, threads and memory."""
