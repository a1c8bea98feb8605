"""How a run goes on: after a failure, and from another run."""
