"""An object store of the tests' own, which speaks as S3 does."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

BUCKET = "studies"
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def explain_absence() -> str:
    """Why no store can be started here; empty where one can."""
    missing = [name for name in ("s3fs", "moto", "flask") if find_spec(name) is None]
    return f"{' and '.join(missing)} missing: pip install 'smallvision[dev]'" if missing else ""


@contextmanager
def run_store() -> Iterator[dict[str, str]]:
    """Run a store with an empty bucket; gives the variables by which it is found."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        variables = {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        os.environ |= variables
        import s3fs

        s3fs.S3FileSystem(endpoint_url=variables["AWS_ENDPOINT_URL"]).mkdir(BUCKET)
        yield variables
    finally:
        server.stop()
