"""From a name or a path to a data set with a sealed test set."""
