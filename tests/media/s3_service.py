"""A bucket behind the protocol of S3, whose service checks every signature, and what its key may do.

Says in one line of JSON where it is.
"""

import json
import os
import signal

# Without a signature go only the first calls, which are the four below. Read when the service is loaded.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

REGION = "eu-central-1"
BUCKET = "couplet-media"
USER = "couplet"
# What the guide says that the server needs.
ALLOWED = ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:AbortMultipartUpload"]

service = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
service.start()
host, port = service.get_host_and_port()
options = {
    "endpoint_url": f"http://{host}:{port}",
    "region_name": REGION,
    "aws_access_key_id": "nobody",
    "aws_secret_access_key": "nobody",
}
place = {"LocationConstraint": REGION}
boto3.client("s3", **options).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
iam = boto3.client("iam", **options)
iam.create_user(UserName=USER)
statement = {"Effect": "Allow", "Action": ALLOWED, "Resource": "*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
iam.put_user_policy(UserName=USER, PolicyName="media", PolicyDocument=policy)
key = iam.create_access_key(UserName=USER)["AccessKey"]
said = {
    "endpoint": options["endpoint_url"],
    "region": REGION,
    "bucket": BUCKET,
    "access_key": key["AccessKeyId"],
    "secret_key": key["SecretAccessKey"],
}
print(json.dumps(said), flush=True)
# Until it is killed.
signal.pause()
