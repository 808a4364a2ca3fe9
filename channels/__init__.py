"""The wires: one package for each channel by which a customer reaches us."""
