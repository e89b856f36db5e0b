"""What ends a try of a hop when a newer one has begun. It imports nothing, for those in a hurry."""


class OutlivedTry(Exception):
    """The run's outcome is the newer try's: this one reports neither rows nor a failure."""

    code = "outlived_try"
