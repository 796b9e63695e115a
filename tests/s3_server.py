"""SeaweedFS, a real server that speaks S3, on free ports and with temporary data."""
import json
import shutil
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.private_server import HOST, Service, free_ports

KEY, SECRET = "the-tests", "the-secret-of-the-tests"
ACCESS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
PORTS = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")


def program():
    """Return the path of SeaweedFS, which a package of requirements-dev.txt has; None where it is not installed."""
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")


class S3(Service):
    """A server with a bucket `files`."""

    @property
    def endpoint(self):
        return f"http://{HOST}:{self.port}"

    @property
    def url(self):
        return f"s3://files?endpoint={self.endpoint}"

    def client(self):
        return boto3.client("s3", endpoint_url=self.endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1")

    def _prepare(self):
        self.port = free_ports(len(PORTS))
        access = {"identities": [{"name": "tests", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                                  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
        (self.directory / "s3.json").write_text(json.dumps(access))

    def _command(self):
        ports = [f"-{name}={self.port + n}" for n, name in enumerate(PORTS)]
        return [program(), "server", f"-dir={self.directory}", f"-ip={HOST}", f"-ip.bind={HOST}", "-s3", "-filer", f"-s3.config={self.directory / 's3.json'}",
                "-s3.port.iceberg=0", "-s3.port.lance=0",     # they speak no S3, and have ports of their own that another server may have
                "-master.volumeSizeLimitMB=64", "-volume.max=8", "-master.telemetry=false", *ports]

    def _answers(self):
        try:
            self.client().create_bucket(Bucket="files")
            return True
        except ClientError as error:
            return "BucketAlready" in str(error)
        except BotoCoreError:
            return False
