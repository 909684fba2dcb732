"""The norms in which a perturbation is measured, by name; torch-free."""

NORMS = ("linf", "l2", "l1", "l0")
