"""Other PBXs tell of their calls."""
