"""Schemathesis' serializer for the bytes of an upload (tus 1.0.0), of which it knows none."""

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def upload_bytes(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
