"""An S3 server on loopback that asks for credentials; runs in an environment of its own, see `store.py`.

Prints its port, a key and its secret on one line, and serves until standard input closes.
"""

import json
import os
import sys

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"  # what is set up below; from then on every request is judged

import boto3
from moto.server import ThreadedMotoServer

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def main() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    asked = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
    accounts = boto3.client("iam", **asked, **nobody)
    accounts.create_user(UserName="bot")
    accounts.put_user_policy(UserName="bot", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    key = accounts.create_access_key(UserName="bot")["AccessKey"]
    boto3.client("s3", **asked, **nobody).create_bucket(Bucket="bucket")
    print(port, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
