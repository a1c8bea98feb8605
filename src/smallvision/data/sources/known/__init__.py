"""Well-known data sets, each in the files that its authors publish."""
