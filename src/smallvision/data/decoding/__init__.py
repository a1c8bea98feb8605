"""Reading of untrusted bytes: archives, pickles, pictures, Parquet files, labels."""
