"""Other systems that hear of what happens, by HTTP."""
