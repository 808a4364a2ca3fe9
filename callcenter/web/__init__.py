"""The HTTP door: pages' frame, sign-in, the REST API and its sockets, health and metrics."""
