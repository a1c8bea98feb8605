"""A study or a run followed while another process writes it, by reading its records alone."""
