"""A company that does not exist: its people, a year of their history, and calls that come in now."""
