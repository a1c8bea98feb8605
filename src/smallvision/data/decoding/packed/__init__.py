"""Archives and files of packed bytes from strangers, read within bounds."""
