"""From a name, a path or arrays to a data set with a sealed test set."""
