"""Bare Spark, to compare the hops with."""
