#!/usr/bin/env python3
"""The address by which this machine reaches another: `spark-address NAME`."""

import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
    # Nothing is sent: to connect a datagram's socket only looks for the way.
    route.connect((sys.argv[1], 9))
    print(route.getsockname()[0])
