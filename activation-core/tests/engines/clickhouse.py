"""ClickHouse within this process, for as long as standard input is open.

Reads a statement a line, as a JSON text, and answers each with a line: its rows, or why there are none.
The argument, if any, is a directory to keep the data in.
"""

import json
import re
import sys
import tempfile

from chdb import session

with tempfile.TemporaryDirectory() as directory:
    engine = session.Session(sys.argv[1] if len(sys.argv) > 1 else directory)
    for line in sys.stdin:
        try:
            rows = engine.query(json.loads(line), "JSONCompactEachRow").bytes().split(b"\n")
            answer = {"rows": [json.loads(row) for row in rows if row]}
        except Exception as error:
            # The message has the statement in it.
            code = re.match(r"Code: \d+", str(error))
            answer = {"error": code.group() if code else type(error).__name__}
        print(json.dumps(answer), flush=True)
    engine.close()
