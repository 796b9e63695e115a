"""The file store in anything that speaks S3, for chats on several machines: FILES_URL=s3://bucket?endpoint=https://host&region=name.

boto3 takes the key and the secret from the environment, a file of Amazon's, or the machine's own role. Its sockets are those of the standard
library, so under eventlet and gevent it waits without blocking the others, and no thread is needed.
"""
import logging
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from config import ConfigError

from ..errors import Unavailable
from .file_store import CHUNK_BYTES, KEY, OWNER

CONNECT_SECONDS, READ_SECONDS = 5, 30
MAX_CONNECTIONS = 64        # kept open
log = logging.getLogger(__name__)

OPTIONS = {"endpoint", "region"}
NOT_FOUND = ("404", "NoSuchKey", "NotFound")
DEFAULT_REGION = "us-east-1"


class S3Store:
    """Contents as objects of a bucket; what follows the bucket's name in the URL comes before their keys."""

    def __init__(self, url):
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not parts.hostname or set(options) - OPTIONS:
            raise ConfigError("FILES_URL is s3://bucket, and perhaps ?endpoint=https://host&region=name.")
        self.bucket, self.prefix = parts.netloc, parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        try:
            self.client = boto3.client("s3", endpoint_url=options.get("endpoint"), region_name=options.get("region", DEFAULT_REGION), config=Config(
                connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, max_pool_connections=MAX_CONNECTIONS, retries={"total_max_attempts": 3},
                # What only Amazon's own server knows is asked of it alone.
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
                s3={"addressing_style": "path" if "endpoint" in options else "auto"}))
            self.client.head_bucket(Bucket=self.bucket)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise ConfigError(f"The bucket {self.bucket} of FILES_URL cannot be used: {error}") from error

    def save(self, path, key):
        """Put a finished file into the store, unless it has the content already, and delete the file."""
        path = Path(path)
        if self.size(key) is None:
            with open(path, "rb") as file:
                self._ask(self.client.put_object, key, Body=file, ContentLength=path.stat().st_size)
        path.unlink()

    def open(self, key, start=0, length=None):
        """Return an iterator over the content from byte `start` on, in chunks. Raises FileNotFoundError."""
        if length == 0:
            return iter(())
        end = "" if length is None else start + length - 1
        answer = self._ask(self.client.get_object, key, **({"Range": f"bytes={start}-{end}"} if start or length is not None else {}))
        return self._chunks(answer["Body"])

    @staticmethod
    def _chunks(body):
        try:
            yield from body.iter_chunks(CHUNK_BYTES)
        finally:
            body.close()

    def size(self, key):
        """Return how many bytes the content has, or None if it is not there."""
        try:
            return self._ask(self.client.head_object, key)["ContentLength"]
        except FileNotFoundError:
            return None

    def owner(self):
        """Return what `set_owner` has noted, or None."""
        try:
            return self._ask(self.client.get_object, OWNER)["Body"].read().decode("ascii")
        except FileNotFoundError:
            return None

    def set_owner(self, owner):
        """Note whose contents these are, a line of ASCII."""
        self._ask(self.client.put_object, OWNER, Body=owner.encode("ascii"))

    def remove(self, key):
        """Remove a content, if it is there."""
        self._ask(self.client.delete_object, key)

    def keys(self, older_than_seconds=0):
        """Yield the keys of what has been there for so long."""
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
                for found in page.get("Contents", ()):
                    key, at = found["Key"].removeprefix(self.prefix), found["LastModified"]
                    if KEY.fullmatch(key) and (at.now(at.tzinfo) - at).total_seconds() >= older_than_seconds:
                        yield key
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def _ask(self, method, key, **options):
        if key != OWNER and not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of the file store")
        try:
            return method(Bucket=self.bucket, Key=self.prefix + key, **options)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in NOT_FOUND:
                raise FileNotFoundError(key) from error
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error


def _unavailable(error):
    log.warning("the file store does not answer: %s", error)
    return Unavailable()
