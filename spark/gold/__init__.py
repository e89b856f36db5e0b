"""The star schema and its aggregates: a module per concept, a function per table."""
