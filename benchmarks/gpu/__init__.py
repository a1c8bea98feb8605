"""What a machine with a GPU shall measure: see `QUEUE.md`."""
