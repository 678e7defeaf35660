"""Sail's Flight SQL server with workers of its own, for as long as standard input is open.

Writes its port to standard output once it is there.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading

with tempfile.TemporaryDirectory() as directory:
    command = [sys.executable, "-m", "pysail", "flight", "server", "--port", "0", "-C", directory]
    server = subprocess.Popen(
        command,
        env=dict(os.environ, SAIL_MODE="local-cluster", RUST_LOG="info"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in server.stderr:
            found = re.search(r"server on 127\.0\.0\.1:(\d+)", line)
            if found:
                print(found.group(1), flush=True)
                break
            sys.stderr.write(line)
        # Nobody reads what it says later, but it must not wait for a reader.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        sys.stdin.read()
    finally:
        server.kill()
        server.wait()
