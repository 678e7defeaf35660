"""A MariaDB server of its own, for as long as standard input is open.

Reads a statement a line, as a JSON text, and answers each with a line: its rows, or why there are none.
The argument is the directory that the server was unpacked into; or the socket of one that is there.
"""

import json
import os
import stat
import subprocess
import sys
import tempfile
import time

import pymysql



def answer_all(connection):
    for line in sys.stdin:
        try:
            with connection.cursor() as cursor:
                cursor.execute(json.loads(line))
                rows = [[text(value) for value in row] for row in cursor.fetchall()]
            answer = {"rows": rows}
        except pymysql.err.MySQLError as error:
            # The message has parts of the statement in it.
            answer = {"error": f"error {error.args[0]}"}
        print(json.dumps(answer), flush=True)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def connected(socket, server):
    """Waits for the server, as long as it is there."""
    while True:
        try:
            return pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4", autocommit=True)
        except pymysql.err.OperationalError:
            if server.poll() is not None:
                raise
            time.sleep(0.02)


files = sys.argv[1]
if stat.S_ISSOCK(os.stat(files).st_mode):
    answer_all(pymysql.connect(unix_socket=files, user="root", charset="utf8mb4", autocommit=True))
    sys.exit()

with tempfile.TemporaryDirectory() as directory:
    socket, data = f"{directory}/socket", f"{directory}/data"
    os.mkdir(data)
    command = [f"{files}/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}"]
    command += ["--skip-grant-tables", "--skip-networking", f"--socket={socket}"]
    command += [f"--lc-messages-dir={files}/usr/share/mysql"]
    command += [f"--character-sets-dir={files}/usr/share/mysql/charsets"]
    if os.getuid() == 0:
        command.append("--user=root")
    with open(f"{directory}/log", "w+") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            answer_all(connected(socket, server))
        finally:
            server.kill()
            server.wait()
            log.seek(0)
            if sys.exc_info()[0]:
                sys.stderr.write(log.read())
