"""Slow, obvious numpy twins of the kernels: what the fast ones must agree with."""
