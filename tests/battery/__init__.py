"""What users do to files and processes, and what must come of it.

Each module holds one family of trials: `run(place, trials, seed)` makes so many in an empty
folder and lists what went wrong. The default tests (`test_share.py`) run a small share of most;
`make battery` runs them all and writes `results/reliability.json` and `docs/RELIABILITY.md`.
"""
