#!/usr/bin/env python3
"""Waits until Spark's master takes applications: `spark-await-master`.

A master that recovers from a crash takes an application for the one it had at the same address,
and gives it no worker.
"""

import json
import time
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

PAGE = "http://spark-master:8080/json/"

#: Whatever proxy a container is given leads elsewhere.
opener = build_opener(ProxyHandler({}))
said = ""
while True:
    try:
        with opener.open(PAGE, timeout=3) as answer:
            status = json.load(answer)["status"]
    except (OSError, HTTPException, ValueError, KeyError) as error:
        status = str(error)
    if status == "ALIVE":
        break
    if status != said:
        print(f"spark-await-master: waits for {PAGE}, which says {status}", flush=True)
        said = status
    time.sleep(0.5)
