def list_archives():
    return []
