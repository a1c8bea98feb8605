"""Objects in Python that hold images with labels: pairs, tables, data sets of other libraries."""
