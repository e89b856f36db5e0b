"""Failures of Spark and of Arrow as the engines word them, and what is made of them."""

import re

import pytest
from boxoffice_tasks.lake_failure import DiskFull, LakeFailed, for_people, lake_failures_for_people
from boxoffice_tasks.service_job import ServiceRefused

S3PROXY = (
    "(org.apache.hadoop.fs.s3a.AWSS3IOException) Completing multipart upload on silver/r/a/t/p: "
    "software.amazon.awssdk.services.s3.model.S3Exception: An internal error occurred. Try again. "
    "(Service: S3, Status Code: 200, Request ID: A0):InternalError: An internal error occurred.\n\n"
    "JVM stacktrace:\norg.apache.hadoop.fs.s3a.AWSS3IOException\n\tat org.apache.hadoop…"
)
MINIO = (
    "Job aborted due to stage failure: Task 0 in stage 7.0 failed 4 times\n"
    "Caused by: software.amazon.awssdk.services.s3.model.S3Exception: Storage backend has reached "
    "its minimum free drive threshold. Please delete a few objects to proceed. (Service: S3, "
    "Status Code: 507, Request ID: 18):XMinioStorageFull\n"
)
SPILL = "Task 0 failed\njava.io.IOException: No space left on device\n\tat java.base/java.io…"
BROKEN_OFF = (
    "[TASK_WRITE_FAILED] Task failed while writing rows to s3a://lake/gold/r/a/t.\n\n"
    "JVM stacktrace:\norg.apache.spark.SparkException\n\tat org.apache.spark…\n"
    "Caused by: java.net.SocketException: "
    "upload part #1 on gold/r/a/t/p: software.amazon.awssdk.core.exception.SdkClientException: "
    "Unable to execute HTTP request: Broken pipe\n"
)
ARROW = (
    "When completing multiple part upload for key '_runs/r/gold.json' in bucket 'lake': AWS Error "
    "INTERNAL_FAILURE during CompleteMultipartUpload operation: An internal error occurred."
)
NOT_CONNECTED = (
    "When reading information for key '_runs/r/inputs.json' in bucket 'lake': AWS Error "
    "NETWORK_CONNECTION during HeadObject operation: curlCode: 7, Could not connect to server; "
    "Details: Failed to connect to 127.0.0.1:9000 after 0 ms: Could not connect to server"
)
REFUSED = (
    "getFileStatus on s3a://lake/bronze/ratings: software.amazon.awssdk.core.exception."
    "SdkClientException: Unable to execute HTTP request: Connect to 127.0.0.1:9000 [/127.0.0.1] "
    "failed: Connection refused (SDK Attempt Count: 3)\n\nJVM stacktrace:\n\tat org.apache…"
)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (MINIO, r"the lake's disk has no space left \(Storage backend .* to proceed\.\)\."),
        (SPILL, r"a disk that Spark writes to has no space left \(No space left on device\)\."),
    ],
)
def test_a_full_disk_is_named_and_is_not_tried_again(text: str, start: str) -> None:
    expected = f"^{start} Free space there"
    with pytest.raises(DiskFull, match=expected), lake_failures_for_people():
        raise RuntimeError(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (S3PROXY, r"An internal error occurred\. Try again\."),
        (BROKEN_OFF, "Unable to execute HTTP request: Broken pipe"),
        (ARROW, "When completing multiple part upload .* An internal error occurred."),
    ],
)
def test_a_server_that_says_only_that_it_failed_may_be_full_and_is_tried_again(
    text: str, said: str
) -> None:
    told = for_people(OSError(text))
    assert isinstance(told, LakeFailed)
    assert re.match(rf"the lake's S3 server failed \({said}\)\. Its disk may be full", str(told))
    assert "\n" not in str(told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NOT_CONNECTED, "When reading information .* Could not connect to server"),
        (REFUSED, r"Unable to execute HTTP request: Connect to .* \(SDK Attempt Count: 3\)"),
    ],
)
def test_a_server_that_does_not_run_is_not_called_full(text: str, said: str) -> None:
    told = for_people(OSError(text))
    assert isinstance(told, LakeFailed)
    assert re.match(rf"the lake's S3 server did not answer \({said}\)\. \./box status", str(told))
    assert "full" not in str(told)


@pytest.mark.parametrize(
    "failure",
    [
        RuntimeError("[TABLE_NOT_FOUND] no table\n\nJVM stacktrace:\n\tat org.apache…"),
        ServiceRefused("disk_full", "Kafka's disk has no space left"),
    ],
)
def test_any_other_failure_passes_as_it_is(failure: Exception) -> None:
    with pytest.raises(type(failure)) as raised, lake_failures_for_people():
        raise failure
    assert raised.value is failure
