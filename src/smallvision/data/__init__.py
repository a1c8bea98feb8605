"""Images, splits and batches."""
