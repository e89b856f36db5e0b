"""Typed, deduplicated, normalised: a module per dataset, a function per table."""
