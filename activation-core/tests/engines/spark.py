"""Apache Spark's Connect server with two workers, for as long as standard input is open.

Writes its port to standard output once it is there.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

(home,) = importlib.util.find_spec("pyspark").submodule_search_locations

with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": "0",
        "spark.sql.warehouse.dir": f"{directory}/warehouse",
        "spark.ui.enabled": "false",
    }
    command = [f"{home}/bin/spark-submit", "--master", "local-cluster[2,1,1024]"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command += [part for setting in settings.items() for part in ("--conf", "=".join(setting))]
    server = subprocess.Popen(
        command + ["spark-internal"],
        cwd=directory,
        env=dict(os.environ, SPARK_HOME=home, SPARK_LOCAL_DIRS=directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said = []
        for line in server.stderr:
            said.append(line)
            found = re.search(r"Spark Connect server started at: .*:(\d+)", line)
            if found:
                print(found.group(1), flush=True)
                break
        else:
            sys.stderr.writelines(said)
        # Nobody reads what it says later, but it must not wait for a reader.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        sys.stdin.read()
    finally:
        # Its workers too.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
