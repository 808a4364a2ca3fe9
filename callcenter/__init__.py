"""The nouns and the facts of a call centre: the contact log, what may be done to it, and the server around it."""
