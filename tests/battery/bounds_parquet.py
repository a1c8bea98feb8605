def list_parquet():
    return []
