#!/usr/bin/env python3
"""Whether a part of Spark works, by its own protocol: `spark-healthy master|worker|connect`."""

import json
import os
import socket
import sys
from urllib.request import urlopen

TIMEOUT_SECONDS = 3
#: HTTP/2's preface and an empty SETTINGS frame; a gRPC server answers with its own SETTINGS.
HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS = 4


def state(port: int) -> dict:
    """What the page of a master or worker tells of it."""
    with urlopen(f"http://127.0.0.1:{port}/json/", timeout=TIMEOUT_SECONDS) as answer:
        return json.load(answer)


def speaks_grpc(port: int) -> bool:
    """Whether a server on this port opens an HTTP/2 connection."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
        connection.sendall(HTTP2_HELLO)
        frame = connection.recv(9)
        return len(frame) == 9 and frame[3] == SETTINGS


def is_healthy(role: str) -> bool:
    """Whether the part does its work."""
    if role == "master":
        return state(8080)["status"] == "ALIVE"
    if role == "worker":
        return bool(state(int(os.environ.get("SPARK_WORKER_UI_PORT", "8081")))["masterurl"])
    return speaks_grpc(15002)


sys.exit(0 if is_healthy(sys.argv[1]) else 1)
