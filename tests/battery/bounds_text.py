def list_text():
    return []
