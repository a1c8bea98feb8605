"""Measurements of speed, and of accuracy on few images; not part of the package.

`python -m benchmarks --help`, from the root of the repository, lists the commands. Each lies in the
file of its name: in `throughput/` what takes seconds and is measured in images a second, in
`training/` what trains networks to the end, in `gpu/` what a machine with a GPU is to measure.
"""
