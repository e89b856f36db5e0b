"""What a failure of Spark or of the lake means to people: full disks foremost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from boxoffice_tasks.failure_report import code_of

#: How MinIO and other S3 servers, and an operating system, say that a disk is full.
FULL = re.compile(
    r"XMinioStorageFull|Status Code: 507|no space left|storage (is )?full", re.IGNORECASE
)
#: How s3a and Arrow tell of an S3 server that failed or broke off: some say no more of a full disk.
FAILED = re.compile(
    r"Service: S3, Status Code: 5\d\d|InternalError|AWS Error INTERNAL_FAILURE"
    r"|Unable to execute HTTP request"
)
#: How both tell of a server that does not run, or that the network does not reach.
UNREACHED = re.compile(
    r"AWS Error NETWORK_CONNECTION|Unable to execute HTTP request: .*"
    r"(Connection refused|[Cc]onnect timed out|UnknownHost|Name or service not known)"
)
OF_LAKE = re.compile(r"s3a|software\.amazon|Service: S3|AWS Error|XMinio")
LONGEST_REASON = 300


class DiskFull(AirflowFailException):
    """The same again does not help before somebody makes room: the task fails at once."""

    code = "disk_full"


class LakeFailed(AirflowException):
    """The lake's server failed or did not answer: Airflow tries the task again."""

    code = "lake_failed"


@contextmanager
def lake_failures_for_people() -> Iterator[None]:
    """Raises in place of a failure inside the block that tells of a full disk or of a failed lake
    one that says what to do. Others pass.
    """
    try:
        yield
    except Exception as failure:
        told = for_people(failure)
        if told is None:
            raise
        raise told from failure


def for_people(failure: Exception) -> DiskFull | LakeFailed | None:
    """A failure as one that says what to do; None where it tells of neither."""
    if code_of(failure) is not None:
        return None  # a service's, which is for people as it is
    lines = [line.strip() for line in str(failure).splitlines()]
    if full := next(filter(FULL.search, lines), None):
        disk = "the lake's disk" if OF_LAKE.search(full) else "a disk that Spark writes to"
        return DiskFull(
            f"{disk} has no space left ({reason_of(full)}). "
            "Free space there, then run again; what was published stays"
        )
    if unreached := next(filter(UNREACHED.search, lines), None):
        return LakeFailed(
            f"the lake's S3 server did not answer ({reason_of(unreached)}). ./box status says "
            "whether it runs, ./box logs s3 why it ended. Start it with ./box up, and run again"
        )
    failed = next((line for line in lines if OF_LAKE.search(line) and FAILED.search(line)), None)
    if failed is None:
        return None
    return LakeFailed(
        f"the lake's S3 server failed ({reason_of(failed)}). Its disk may be full: "
        "./box doctor tells the room there is, ./box logs s3 what it says"
    )


def reason_of(line: str) -> str:
    """What an engine says in a line, without the kinds of errors around it and the request's id."""
    said = line.rsplit("Exception: ", 1)[-1]
    return said.split(" (Service: ", 1)[0][:LONGEST_REASON]
